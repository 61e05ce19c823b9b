"""``vqapg annotate start --images``: pairs that any system made, without a data directory."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.support.annotate_commands import annotate
from tests.support.consistency_sessions import say, shown_pairs
from vqapg.annotation.session import read_session
from vqapg.cli.main import main
from vqapg.data.pictures import open_rgb

YES_MAN = "tests.support.judges:YesMan:"  # he accepts the answer "yes" alone
PAIRS = [
    {"image": image, "question": f"Is it {thing}?", "answer": answer}
    for image in ("kitchen.png", "of me/beach.png", "park.png")
    for thing, answer in (("day", "Yes"), ("raining", "no"), ("late", "yes"), ("a photo", "yes"))
]
FOLDER = "start session --images photos".split()
CONSISTENCY = [*FOLDER, "--for", "consistency", "--pairs", "pairs.jsonl"]


def write_lines(name, lines):
    with open(name, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """photos/, of which pairs.jsonl names all but one, in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos/of me").mkdir(parents=True)
    for number, image in enumerate(("kitchen", "of me/beach", "park", "unasked")):
        Image.new("RGB", (60, 40), (60 * number, 9, 9)).save(tmp_path / f"photos/{image}.png")
    write_lines("pairs.jsonl", [*PAIRS, PAIRS[0], PAIRS[1] | {"answer": " "}])
    return tmp_path


def test_from_photos_to_an_estimate_in_metrics(folder, capsys):
    place = ["--images", "photos", "--pairs", "pairs.jsonl"]
    assert main(["evaluate", *place, "--judge", YES_MAN, "--output", "metrics.json"]) == 0
    assert annotate(*CONSISTENCY, "--judge", YES_MAN, "--annotators", 1) == 0
    assert "3 images, 12 pairs to judge, by 1 annotator each" in capsys.readouterr().out
    session = read_session("session")
    sizes = {cell.stratum: cell.size for cell in session.plan.cells}
    assert sizes == {"accepted": 9, "rejected": 3} and session.models == {
        "pairs.jsonl": {"split": None}
    }
    say(session, "anna", lambda pair: "1" if pair.question == "is it late?" else "2")
    assert annotate("estimate", "session", "--metrics", "metrics.json") == 0
    assert "pairs.jsonl: 12 distinct triples; 1 malformed, left out" in capsys.readouterr().out
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["estimated_consistent"]["value"] == pytest.approx(9 / 12)


def test_each_pair_is_shown_with_its_own_picture(folder):
    assert annotate(*CONSISTENCY) == 0
    session = read_session("session")
    assert sorted(session.images) == ["kitchen.png", "of me/beach.png", "park.png"]
    shown = [session.images[group.image] for group in session.groups]
    assert sorted(shown) == sorted(4 * session.images) and len(shown_pairs(session)) == 12
    for number, image in enumerate(session.images):
        copy, photo = open_rgb(session.image_path(number)), open_rgb(folder / "photos" / image)
        assert np.abs(np.array(copy, int)[5, 5] - np.array(photo, int)[5, 5]).max() < 4


def test_papers_evaluation_draws_from_named_photos(folder, capsys):
    write_lines("other.jsonl", PAIRS[:8])
    files = ["--pairs", "one=pairs.jsonl", "--pairs", "two=other.jsonl"]
    assert annotate(*FOLDER, *files, "-n", 3) == 2
    # park.png has pairs of one model only, and unasked.png of none.
    assert "-n 3: only 2 images have 3 or more well-formed" in capsys.readouterr().err
    assert annotate(*FOLDER, *files, "-n", 2) == 0
    session = read_session("session")
    assert session.images == ["kitchen.png", "of me/beach.png"] and session.plan is None


def test_order_of_lines_changes_no_drawn_photo(folder):
    write_lines("turned.jsonl", PAIRS[::-1])
    for name in ("pairs", "turned"):
        words = ["start", name, *FOLDER[2:], "--pairs", f"one={name}.jsonl", "-n", 2, "--seed", 3]
        assert annotate(*words) == 0
    assert read_session("pairs").images == read_session("turned").images


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            {"image": "lost.png"},
            "pairs.jsonl:2: image 'lost.png' is not in the folder photos;",
        ),
        ({"image": "../photo.png"}, "pairs.jsonl:2: image '../photo.png' is not in the folder"),
        ({"image": "broken.png"}, "photos/broken.png: cannot be read as an image"),
        ({"answer": 1}, "pairs.jsonl:2: no text under 'answer'"),
    ],
)
def test_photo_that_is_not_there_is_one_line(folder, capsys, line, message):
    Image.new("RGB", (60, 40)).save(folder / "photo.png")
    (folder / "photos/broken.png").write_bytes(b"nothing")
    write_lines("pairs.jsonl", [PAIRS[0], PAIRS[1] | line])
    assert annotate(*CONSISTENCY) == 2
    [error] = capsys.readouterr().err.splitlines()
    assert error.startswith("vqapg annotate: error: ") and message in error
    assert not (folder / "session").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--images", "none"], "--images none: there is no such folder"),
        (["--split", "test"], "--split test: a folder of pictures has no splits; leave it out"),
        (["--judge", "truth:easy-vqa"], "--judge truth:easy-vqa: needs a data directory"),
        (["--pairs", "generated.txt"], "generated.txt:1: not a JSON object with image"),
    ],
)
def test_what_needs_a_data_directory_is_one_line(folder, capsys, words, message):
    (folder / "generated.txt").write_text("H-0\t-1.0\tis it ? <sep> yes\n")
    assert annotate(*CONSISTENCY, *words) == 2
    [error] = capsys.readouterr().err.splitlines()
    assert message in error
