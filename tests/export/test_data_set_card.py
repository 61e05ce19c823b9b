"""The folder for Hugging Face datasets: its card, its splits, and its licence."""

import json
import os

import pytest
import yaml
from huggingface_hub import DatasetCard

from tests.support.tiny_checkpoints import draw_pictures
from vqapg.demo import MODEL, SHA256
from vqapg.errors import InputError
from vqapg.export.data_set_card import NAME
from vqapg.export.licences import LICENCES, check_licence
from vqapg.export.outputs import write_records
from vqapg.export.pair_origin import Origin
from vqapg.sampling.images import find_images
from vqapg.version import __version__


@pytest.fixture
def images(tmp_path):
    return find_images([draw_pictures(tmp_path / "photos", 3)])


@pytest.fixture
def write(tmp_path, images):
    """Writes a folder of one pair an image, with the splits train, test and test."""

    def written(name="pairs", records=None, overwrite=False, **known):
        if records is None:
            records = [
                {"image": image.name, "question": "what?", "answer": "a dot", "split": split}
                for image, split in zip(images, ("train", "test", "test"))
            ]
        origin = Origin(**known)
        write_records(
            tmp_path / name, "imagefolder", records, images, overwrite=overwrite, origin=origin
        )
        return tmp_path / name

    return written


def head_of(folder):
    _, head, _ = (folder / NAME).read_text().split("---\n", 2)
    return yaml.safe_load(head)


def load(folder, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    return datasets.load_dataset(str(folder), cache_dir=str(folder.parent / "cache"))


def test_head_is_what_the_hub_reads(write):
    folder = write(license="cc-by-4.0")
    assert head_of(folder) == {
        "license": "cc-by-4.0",
        "pretty_name": "Question-answer pairs: pairs",
        "language": ["en"],
        "task_categories": ["visual-question-answering"],
        "tags": ["synthetic"],
        "size_categories": ["n<1K"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": "train", "path": "train/**"},
                    {"split": "test", "path": "test/**"},
                ],
            }
        ],
    }
    card = DatasetCard.load(folder / NAME)
    assert card.data.license == "cc-by-4.0" and card.data.size_categories == ["n<1K"]


@pytest.mark.parametrize(
    ("pairs", "size"), [(1, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (12345, "10K<n<100K")]
)
def test_size_is_the_hubs_range_of_the_pairs(write, images, pairs, size):
    record = {"image": images[0].name, "question": "what?", "answer": "a dot"}
    assert head_of(write(records=[record] * pairs))["size_categories"] == [size]


def test_text_says_counts_making_and_images(write, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/bin/vqapg", "sample", "my photos"])
    made = {"model": "joint:0123456789ab", "judge": "evaluator:ab", "--seed": 7, "--keep": None}
    text = (write(made=made, images="They are mine.") / NAME).read_text()
    for line in (
        "| train | 1 | 1 |",
        "| test | 2 | 2 |",
        "| model | joint:0123456789ab |",
        "| judge | evaluator:ab |",
        "| --seed | 7 |",
        "They are mine.",
        "| `answer` | the answer |",
    ):
        assert f"\n{line}\n" in text, line
    assert "| --keep" not in text and "\n    vqapg sample 'my photos'\n" in text
    assert f"| vqapg | {__version__} |" in text


@pytest.mark.parametrize("given", [None, "unknown"])
def test_licence_that_nobody_gave_is_unknown(write, given):
    folder = write(license=given)
    assert head_of(folder)["license"] == "unknown"
    text = (folder / NAME).read_text()
    assert "Nobody has said under which licence" in text and "--license ID --overwrite" in text


def test_licence_that_the_hub_lacks_asks_for_its_text(write):
    text = (write(license="other") / NAME).read_text()
    assert "Add its text as a file `LICENSE`" in text and "Nobody has said under" not in text


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("CC BY 4.0", "cc-by-4.0"),
        ("cc-by-40", "cc-by-4.0"),
        ("MIT", "mit"),
        ("apache2", "apache-2.0"),
    ],
)
def test_unknown_licence_is_refused_with_a_guess(given, meant):
    with pytest.raises(InputError, match=f"did you mean {meant}\\?"):
        check_licence(given)
    check_licence(meant)


def test_licence_far_from_all_is_refused_without_a_guess():
    with pytest.raises(
        InputError, match="is no licence of the Hugging Face hub; the page https://"
    ):
        check_licence("§§§§§§§§")
    assert len(LICENCES) > 60 and "unknown" in LICENCES


def test_demo_pairs_name_vqa2_and_its_licence(write):
    text = (write(made={"model": f"sequential:{SHA256[MODEL][:12]}"}) / NAME).read_text()
    assert "The demo of vqapg made these pairs." in text and "visualqa.org/terms.html" in text
    assert head_of(write("demo", made={"model": "x"}))["license"] == "unknown"
    assert "The demo of vqapg" not in ((write("other")) / NAME).read_text()


def test_datasets_loads_each_split_by_its_name(write, images, monkeypatch):
    names = ("train", "valid", "test")
    records = [
        {"image": image.name, "question": f"what {split}?", "answer": "é", "split": split}
        for split, of_split in zip(names, (images[:2], images[:1], images[2:]))
        for image in of_split
    ]
    loaded = load(write(records=records), monkeypatch)
    assert {split: [row["source"] for row in rows] for split, rows in loaded.items()} == {
        "train": [images[0].name, images[1].name],
        "valid": [images[0].name],
        "test": [images[2].name],
    }
    assert loaded["valid"][0]["question"] == "what valid?" and "split" not in loaded["valid"][0]
    assert loaded["test"][0]["image"].size == (90, 60)


def test_pairs_of_no_split_are_train(write, images, monkeypatch):
    record = {"image": images[0].name, "question": "what?", "answer": "a dot"}
    assert list(load(write(records=[record]), monkeypatch)) == ["train"]


def test_folder_without_a_pair_says_so(write):
    folder = write(records=[])
    assert "configs" not in head_of(folder)
    assert "No pair was kept" in (folder / NAME).read_text()


@pytest.mark.parametrize(
    "nasty", ["a|b\n# c", "<b>`x`", "日本語 photos", "---", "\x1b[2J", "\udcff"]
)
def test_nasty_names_stay_text(write, images, nasty):
    folder = write(made={"model": nasty}, images=nasty)
    assert head_of(folder)["license"] == "unknown"
    rows = [line for line in (folder / NAME).read_text().splitlines() if line.startswith("| model")]
    assert len(rows) == 1 and "\n# c" not in (folder / NAME).read_text()
    assert "\x1b" not in (folder / NAME).read_text()


@pytest.mark.parametrize("name", ["Fotos aus Köln", "日本語", "a: b # c", "- x", '"q"'])
def test_name_of_any_kind_is_in_the_head(write, name, monkeypatch):
    folder = write(name)
    assert head_of(folder)["pretty_name"] == f"Question-answer pairs: {name}"
    assert list(load(folder, monkeypatch)) == ["train", "test"]


def test_edited_card_is_never_replaced(write):
    folder = write()
    write(overwrite=True)
    card = folder / NAME
    card.write_text(card.read_text().replace("license: unknown", "license: mit"))
    with pytest.raises(InputError, match="its README.md was changed since vqapg wrote it, and"):
        write(overwrite=True)
    assert "license: mit" in card.read_text()


def test_folder_of_an_earlier_version_is_replaced(write):
    folder = write()
    (folder / NAME).unlink()
    mark = json.loads((folder / ".vqapg.json").read_text())
    mark["files"].remove(NAME)
    (folder / ".vqapg.json").write_text(json.dumps(mark))
    write(overwrite=True)
    assert (folder / NAME).exists()


def test_picture_that_goes_while_writing_leaves_nothing(write, images, tmp_path):
    os.remove(images[2].path)
    with pytest.raises(InputError, match=r"2\.png: cannot be read"):
        write()
    assert {path.name for path in tmp_path.iterdir()} == {"photos"}
