"""A vision-language model, alone and averaged with another judge, filters pairs for pictures."""

import json

import numpy as np
import pytest

from tests.support import tiny_vlms
from tests.support.handwritten_data import write_data
from vqapg import load
from vqapg.data.tokenizer import tokenize
from vqapg.judges.context import JudgeContext
from vqapg.judges.hf import HFJudge
from vqapg.judges.judge import Triple, score_triples

DRAWN = {"n": 8, "sampling": True, "temperature": 1.5}
MADE = dict(zip(("a", "b", "c"), tiny_vlms.pictures(), strict=True))


@pytest.fixture
def blip(tmp_path, monkeypatch):
    monkeypatch.setenv("VQAPG_CACHE", str(tmp_path / "cache"))
    return f"hf:{tiny_vlms.save_blip(tmp_path / 'blip')}"


def test_vision_language_model_scores_pairs_of_pictures(checkpoint, blip, tmp_path, monkeypatch):
    model = load(checkpoint("vqapg_joint_variational"), judge=blip, weights="none")
    judge = HFJudge(blip.removeprefix("hf:"), JudgeContext(open_picture=MADE.__getitem__))
    # The judge that the scores are compared with reads no score that the other one wrote.
    monkeypatch.setattr(judge.cache, "path", tmp_path / "other.sqlite")
    for name, picture in MADE.items():
        pairs = model.sample(picture, **DRAWN)
        triples = [
            (name, " ".join(tokenize(pair.question)), " ".join(tokenize(pair.answer)))
            for pair in pairs
        ]
        expected = score_triples(judge, triples).round(4)
        # Its own batches round in another way.
        np.testing.assert_allclose([pair.consistency for pair in pairs], expected, atol=1.1e-4)
        middle = np.median(expected)
        kept = model.sample(picture, min_consistency=middle, **DRAWN)
        assert 0 < len(kept) < len(pairs) and all(pair.consistency >= middle for pair in kept)


def test_judges_are_averaged_where_there_are_only_pictures(checkpoint, blip, tmp_path):
    pairs = [("a.png", f"is it {colour} ?", "red") for colour in ("red", "blue", "green")]
    data = write_data(tmp_path / "DATA", [*pairs, ("b.png", "is it ?", "yes")], split="valid")
    manifest = json.loads((data / "manifest.json").read_text())
    (data / "manifest.json").write_text(json.dumps(manifest | {"image_root": str(tmp_path)}))
    for name in ("a", "b"):
        MADE[name].save(tmp_path / f"{name}.png")
    spec = f"mean:{blip},tests.support.judges:YesMan,data={data}"
    model = load(checkpoint("vqapg_joint_variational"), judge=spec, weights="none")
    pairs = model.sample(MADE["c"], **DRAWN)
    triples = [
        Triple("image", " ".join(tokenize(pair.question)), " ".join(tokenize(pair.answer)))
        for pair in pairs
    ]
    model.judge.judges[0].context = JudgeContext(open_picture={"image": MADE["c"]}.__getitem__)
    found = [pair.consistency for pair in pairs]
    np.testing.assert_allclose(found, model.judge.each(triples).mean(0).round(4), atol=1.1e-4)
    assert len(set(found)) > 1
