"""A transformer and a convolutional network of timm, from features to pairs and the gallery."""

import base64
import json
import re

import pytest
import timm
import torch
from safetensors.torch import save_file

from tests.support.fairseq_commands import fairseq
from tests.support.world import GENERATION, OPTIMIZER, vqapg, write_source
from vqapg.cli.main import main
from vqapg.data.feature_store import FeatureStore

VERSION = f"(timm {timm.__version__})"


@pytest.mark.parametrize(
    ("name", "ending", "size", "grid"),
    [("test_vit", ".safetensors", "64x48", (4, 3)), ("test_convnext", ".pth", "64", (2, 2))],
)
def test_features_train_a_model_that_samples(tmp_path, capsys, name, ending, size, grid):
    torch.manual_seed(7)
    state, weights = timm.create_model(name).state_dict(), tmp_path / f"mine{ending}"
    (save_file if ending == ".safetensors" else torch.save)(state, weights)
    source = write_source(tmp_path / "source")
    data, backbone = tmp_path / "data", ["--backbone", f"timm:{name}", "--image-size", size]
    vqapg("prepare", "--dataset", "jsonl", "--source", source, "--dest", data)
    extract = ["extract-features", data, *backbone, "--num-workers", 0, "--weights"]
    vqapg(*extract, weights)
    store = FeatureStore(data / "features.h5")
    assert store.grid == grid and store.source["weights"] == f"mine{ending} {VERSION}"

    end = ["--max-epoch", 1, "--no-epoch-checkpoints", "--disable-validation"]
    fairseq("train", data, *GENERATION, *OPTIMIZER, *end, "--save-dir", tmp_path)
    picture, output = source.parent / "images/test0.png", tmp_path / "pairs.jsonl"
    sample = ["sample", picture, "--checkpoint", tmp_path / "checkpoint_last.pt"]
    written = ["--output", output, "--num-samples", 4, "--num-workers", 0]
    vqapg(*sample, "--weights", weights, *written, "--html", tmp_path / "gallery.html")
    page = (tmp_path / "gallery.html").read_text()
    assert json.loads(re.search(r'"grid":(\[.*?\])', page)[1]) == list(grid)
    shown = re.findall(r'"weights":\{"pair":"(.*?)"', page)  # a byte for each region
    assert shown and {len(base64.b64decode(text)) for text in shown} == {grid[0] * grid[1]}
    capsys.readouterr()

    # Other weights of the same network are not the ones.
    words = [*sample, "--weights", "none", *written, "--overwrite"]
    assert main([str(word) for word in words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(f"--weights none: are not the weights of timm:{name}", line)
