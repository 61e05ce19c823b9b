"""benchmarks/both_photograph_sets.py joins two data sets without what is held out."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.both_photograph_sets import difference_hash, distances, main
from tests.datasets.test_official_sources import coco, write_visual7w, write_vqa2


def draw(path, seed, size=(200, 150), **options):
    """A smooth picture of its own for each *seed*, as a photograph is."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    picture.save(path, **options)
    return path


def test_distance_is_the_number_of_bits_that_differ():
    rng = np.random.default_rng(1)
    ours, theirs = (rng.integers(0, 2, (n, 256)).astype(np.float32) for n in (3, 5))
    assert distances(ours, theirs).tolist() == [
        [sum(a != b for a, b in zip(one, other)) for other in theirs] for one in ours
    ]


@pytest.mark.parametrize("options", [{"size": (120, 90)}, {"quality": 40}])
def test_one_photograph_is_known_in_another_size_or_quality(tmp_path, options):
    first = difference_hash(draw(tmp_path / "a.jpg", 1))
    again = difference_hash(draw(tmp_path / "b.jpg", 1, **options))
    other = difference_hash(draw(tmp_path / "c.jpg", 2))
    assert np.abs(first - again).sum() < 30 < np.abs(first - other).sum()


def test_what_is_held_out_is_left_out_of_the_other_set(tmp_path, capsys):
    visual7w, vqa2 = write_visual7w(tmp_path / "visual7w"), write_vqa2(tmp_path / "vqa2")
    for number in (1, 2, 5):
        draw(visual7w / f"images/v7w_{number}.jpg", number)
    # 25 is the photograph that Visual7W tests with; 9 is one that it trains with.
    draw(vqa2 / coco("train", 25), 5, (100, 75))
    draw(vqa2 / coco("train", 9), 2, (100, 75))
    output = tmp_path / "both.jsonl"
    main(
        ["--visual7w", str(visual7w), "--vqa2", str(vqa2), "--output", str(output)],
    )
    assert "1 photograph of VQA v2.0 left out" in capsys.readouterr().out
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    found = {(Path(line["image"]).name, line["split"]) for line in lines}
    assert found == {
        ("v7w_2.jpg", "train"),
        (Path(coco("train", 9)).name, "train"),
        ("v7w_1.jpg", "valid"),
        ("v7w_5.jpg", "test"),
    }
    assert all(Path("/" + line["image"]).is_file() for line in lines)
    assert {len(line.get("wrong_answers", [])) for line in lines} == {0, 3}
