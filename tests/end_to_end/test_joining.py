"""Two sub-models of a pipeline, trained apart and joined, are a pipeline to every command."""

import json

import pytest
import torch

import vqapg
from tests.support.fairseq_commands import fairseq
from tests.support.world import OPTIMIZER, SMALL
from tests.support.world import vqapg as run_vqapg
from tests.support.xdist import made_once
from vqapg.cli.main import main

MODEL = ["--task", "vqapg", "--arch", "vqapg_pipeline_variational", "--criterion", "vqapg_elbo"]
MODEL += ["--latent-dim", 8, *SMALL]
BEST = ["--best-checkpoint-metric", "elbo", "--maximize-best-checkpoint-metric"]
GENERATE = ["--task", "vqapg", "--beam", 2, "--max-len-b", 8, "--batch-size", 4, "--cpu"]

VALIDATE = ["--task", "vqapg", "--batch-size", 4, "--cpu"]


def train(world, folder, *flags, status=0):
    flags = [*MODEL, *OPTIMIZER, *BEST, "--no-epoch-checkpoints", "--save-dir", folder, *flags]
    return fairseq("train", world / "data", *flags, status=status)


def generated(world, checkpoint, folder):
    results = ["--path", checkpoint, "--results-path", folder]
    fairseq("generate", world / "data", *GENERATE, *results)
    text = (folder / "generate-test.txt").read_text()
    return [line for line in text.splitlines() if line[:2] in ("H-", "D-", "P-")]


@pytest.fixture(scope="module")
def joined(world, tmp_path_factory):
    """A folder with x/, y/ and what joins them, final.pt."""

    def make(folder):
        for sub_model, epochs in (("x", 2), ("y", 3)):
            flags = ["--sub-model", sub_model, "--max-epoch", epochs]
            flags += ["--global-batch-size", 6, "--update-freq", 2]
            train(world, folder / sub_model, *flags)
        run_vqapg("checkpoint", folder / "x", folder / "y", "--output", folder / "final.pt")

    return made_once(tmp_path_factory, "joined", make)


def test_weights_of_one_run_split_and_joined_generate_the_same(world, tmp_path):
    train(world, tmp_path / "whole", "--max-epoch", 2)
    for sub_model in ("x", "y"):
        # A training of no epoch writes nothing: one of a single epoch gives what else is stored.
        train(world, tmp_path / sub_model, "--sub-model", sub_model, "--max-epoch", 1)
        path = tmp_path / sub_model / "checkpoint_best.pt"
        state, whole = torch.load(path), torch.load(tmp_path / "whole/checkpoint_best.pt")["model"]
        for key in state["model"]:
            if key.startswith(f"{sub_model}_model."):
                assert not torch.equal(state["model"][key], whole[key]) or "feature_" in key, key
                state["model"][key] = whole[key]
        torch.save(state, path)
    run_vqapg("checkpoint", tmp_path / "x", tmp_path / "y", "--output", tmp_path / "final.pt")
    whole, joined = (
        generated(world, tmp_path / path, tmp_path / name)
        for path, name in (("whole/checkpoint_best.pt", "of-whole"), ("final.pt", "of-joined"))
    )
    assert joined == whole and len(whole) == 3 * 15


def test_updates_and_epochs_are_those_of_the_trainings(joined):
    record = json.loads((joined / "trained.json").read_text())
    # 27 pairs in updates of 6: five an epoch
    assert [part["last_epoch"] for part in record["sub_models"]] == [2, 3]
    for part in record["sub_models"]:
        assert 1 <= part["epoch"] <= part["last_epoch"] and part["updates"] == 5 * part["epoch"]
    assert record["updates"] == sum(part["updates"] for part in record["sub_models"])
    sizes = [(joined / name).stat().st_size for name in ("final.pt", "x/checkpoint_best.pt")]
    assert sizes[0] < sizes[1]


def test_every_command_takes_the_joined_checkpoint(world, joined, tmp_path, without_java, capsys):
    final = joined / "final.pt"
    assert len(generated(world, final, tmp_path)) == 45
    fairseq(
        "validate", world / "data", "--task", "vqapg", "--path", final, "--batch-size", 4, "--cpu"
    )
    pairs = ["--pairs", tmp_path / "generate-test.txt"]
    evaluator = ["--evaluator", world / "consistency/checkpoint_last.pt"]
    output = ["--output", tmp_path / "metrics.json"]
    run_vqapg("evaluate", world / "data", *pairs, *evaluator, *output)
    picture = next((world / "source/images").glob("test*.png"))
    assert vqapg.load(final, weights="none", device="cpu").sample(picture)
    log = train(world, tmp_path / "tuned", "--finetune-from-model", final, "--max-epoch", 1).stderr
    assert "loading pretrained model from" in log
    tuned = torch.load(tmp_path / "tuned/checkpoint_last.pt")
    assert tuned["optimizer_history"][-1]["num_updates"] == 7
    refused = train(world, tmp_path / "on", "--restore-file", final, "--max-epoch", 9, status=2)
    assert "written by vqapg checkpoint, without the optimizer's state" in refused.stderr


def test_half_a_pipeline_is_refused_where_pairs_are_made(world, joined, tmp_path, capsys):
    half = joined / "x/checkpoint_best.pt"
    line = "is half a pipeline, its X-model; join it: vqapg checkpoint X_FOLDER Y_FOLDER --output"
    flags = [*GENERATE, "--path", half, "--results-path", tmp_path]
    assert line in fairseq("generate", world / "data", *flags, status=2).stderr
    with pytest.raises(vqapg.InputError, match=f"checkpoint_best.pt: {line}"):
        vqapg.load(half, weights="none", device="cpu")
    sample = [
        "sample",
        str(world / "source/images"),
        "--checkpoint",
        str(half),
        "--weights",
        "none",
    ]
    sample += ["--output", str(tmp_path / "pairs.jsonl")]
    assert main(sample) == 2 and f"checkpoint_best.pt: {line}" in capsys.readouterr().err
    fairseq(
        "validate", world / "data", "--task", "vqapg", "--path", half, "--batch-size", 4, "--cpu"
    )
    for sub_model in ("y", "both"):
        words = ["--restore-file", half, "--sub-model", sub_model, "--max-epoch", 9]
        told = train(world, tmp_path / sub_model, *words, status=2).stderr
        assert "give the flags it was trained with" in told, told[-900:]
