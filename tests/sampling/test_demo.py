"""The demo: the checkpoints that come with the package, for a first try on photographs."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from vqapg import InputError, demo, load
from vqapg.cli.main import main
from vqapg.export.gallery_join import read_gallery
from vqapg.files import sha256
from vqapg.sampling import picture_sampler

MOST = 10 * 2**20  # bytes of both checkpoints


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(1)
    for number in range(2):
        pixels = rng.integers(0, 255, (120, 160, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def test_demo_files_are_the_shipped_ones_and_small():
    paths = [demo.demo_file(name) for name in (demo.MODEL, demo.EVALUATOR)]
    assert [sha256(path) for path in paths] == list(demo.SHA256.values())
    assert sum(path.stat().st_size for path in paths) <= MOST


@pytest.mark.parametrize("content", [None, b"other"])
def test_missing_or_changed_demo_file_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.setattr(demo, "FOLDER", tmp_path)
    if content is not None:
        (tmp_path / demo.MODEL).write_bytes(content)
    with pytest.raises(InputError, match=r"model\.pt.*; install vqapg again"):
        demo.demo_file(demo.MODEL)


@pytest.mark.parametrize("evaluator", [None, "demo", "other.pt"])
def test_command_and_python_choose_the_demo_alike(photos, tmp_path, monkeypatch, evaluator):
    met = []

    class Stop(Exception):
        pass

    def sampler(generator, backbone, judge, device, options):
        met.append((generator.name, str(judge), options))
        raise Stop

    monkeypatch.setattr(picture_sampler, "PictureSampler", sampler)
    if evaluator == "other.pt":
        evaluator = str(tmp_path / evaluator)
        shutil.copy(demo.demo_file(demo.EVALUATOR), evaluator)
    words = [] if evaluator is None else ["--evaluator", evaluator]
    output = ["--output", str(tmp_path / "pairs.jsonl")]
    for checkpoint in ([], ["--checkpoint", "demo"]):
        with pytest.raises(Stop):
            main(["sample", str(photos), *checkpoint, *words, *output])
    with pytest.raises(Stop):
        load("demo", evaluator)
    path = demo.demo_file(demo.EVALUATOR) if evaluator in (None, "demo") else evaluator
    # The command gives the options itself.
    assert [options for *_, options in met] == [{}, {}, demo.OPTIONS]
    assert {judge for _, judge, _ in met} == {f"evaluator:{path}"}
    assert len({name for name, _, _ in met}) == 1


def test_sample_without_checkpoint_uses_the_demo_and_says_so(photos, capsys):
    page = photos.parent / "gallery.html"
    assert main(["sample", str(photos), "--html", str(page), "--num-workers", "0"]) == 0
    shown = capsys.readouterr()
    assert "note: the demo makes the pairs" in shown.err
    pairs = [json.loads(line) for line in page.with_suffix(".jsonl").read_text().splitlines()]
    of_image = {}
    for pair in pairs:
        of_image.setdefault(pair["image"], []).append(pair)
    assert all(len(kept) <= demo.OPTIONS["keep"] for kept in of_image.values())
    assert all(pair["consistency"] >= demo.OPTIONS["min_consistency"] for pair in pairs)
    questions = [(pair["image"], pair["question"]) for pair in pairs]
    assert len(set(questions)) == len(questions)
    about = read_gallery(page)["about"]
    assert about["model"].startswith("demo (vqapg_sequential_variational:")
    assert about["judge"] == (
        "cannot tell right from wrong pairs well: it rejects 62% of wrong pairs, accepts 59% of "
        "right pairs, often misses a wrong image (AUC 0.64)"
    )


def test_python_demo_gives_the_pairs_of_the_command(photos):
    written = photos.parent / "gallery.jsonl"
    of_command = [json.loads(line) for line in written.read_text().splitlines()]
    model = load(demo.NAME)
    for file in sorted(photos.iterdir()):
        expected = [
            (pair["question"], pair["answer"])
            for pair in of_command
            if pair["image"].endswith(file.name)
        ]
        assert [(pair.question, pair.answer) for pair in model.sample(file)] == expected


def test_output_of_neither_html_nor_file_is_refused(photos, capsys):
    assert main(["sample", str(photos)]) == 2
    assert "--output: where to? give --output FILE, or --html FILE" in capsys.readouterr().err


def test_page_that_does_not_end_in_html_is_refused(photos, capsys):
    assert main(["sample", str(photos), "--html", str(photos / "pairs.jsonl")]) == 2
    assert "pairs.jsonl: must end in .html; or give --output too" in capsys.readouterr().err


def test_demo_judges_by_name(photos, tmp_path, capsys):
    place = ["--images", str(photos), "--pairs", str(photos.parent / "gallery.jsonl")]
    scores = tmp_path / "scores.jsonl"
    assert main(["score", *place, "--evaluator", "demo", "--output", str(scores)]) == 0
    lines = [json.loads(line) for line in scores.read_text().splitlines()]
    assert lines and all(0 <= line["consistency"] <= 1 for line in lines)


@pytest.mark.parametrize("name", ["demoo", "Demo", "deom"])
def test_demo_that_is_misspelt_is_told_of(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=f"checkpoint {name}: there is no such file; did you mean"):
        load(name)
    # A file of that name is a checkpoint.
    (tmp_path / name).write_text("mine")
    assert demo.chosen(name).checkpoint == name
