"""What holds for a reader's options and records, whoever wrote it."""

from pathlib import Path

import pytest

from vqapg.cli.main import build_parser, main
from vqapg.datasets import DATASETS, Option, Reader, Record, SourceData, reader, truth_name
from vqapg.errors import InputError

READER = Reader(
    lambda source, **options: None,
    source="a cage",
    options=(
        Option("noise", float, 0.5, "how loud, in % of a jay", minimum=0),
        Option("seed", int, 7, "draws parrots"),
        Option("tongue", str, "en", "what it speaks"),
    ),
)


def test_options_not_given_take_their_defaults():
    expected = {"noise": 0.5, "seed": 3, "tongue": "en"}
    assert READER.complete("parrots", {"seed": 3}) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"noise": -0.5}, "--noise -0.5: must be at least 0"),
        (
            {"max_birds": 1},
            (
                "--max-birds: the data set parrots has no such option; "
                "it takes --noise, --seed, --tongue"
            ),
        ),
    ],
)
def test_option_of_another_reader_or_too_small_is_refused(given, message):
    with pytest.raises(InputError) as caught:
        READER.complete("parrots", given)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("place", "text", "message"),
    [
        (0, "loud", "--noise loud: is not a number; give one"),
        (1, "1.5", "--seed 1.5: is not a whole number; give one"),
    ],
)
def test_text_that_is_no_number_is_refused(place, text, message):
    with pytest.raises(InputError, match=message):
        READER.options[place].parse(text)


@pytest.mark.parametrize("name", ["source", "overwrite", "two words", "a-b", ""])
def test_option_whose_flag_is_taken_or_none_is_refused(name):
    with pytest.raises(ValueError, match="cannot have the name"):
        Option(name, int, 0, "")


@pytest.mark.parametrize(
    ("records", "fault"),
    [
        ([("a", "dev")], "record 1 is of the split 'dev', not of train, valid, test"),
        ([("a", "train"), ("", "train")], "record 2 has the image '', which is no name of a file"),
        ([("a\nb", "train")], "record 1 has the image 'a\\nb'"),
        (
            [("a", "train"), ("b", "train"), ("a", "train")],
            "record 3 stands apart from the other pairs of its image a",
        ),
    ],
)
def test_records_that_break_the_rules_are_named(records, fault):
    data = SourceData(Path("/p"), Path("/"), [Record(i, "q", "a", s) for i, s in records], [])
    with pytest.raises(InputError) as caught:
        data.check("parrots")
    assert f"/p: {fault}" in str(caught.value)
    assert str(caught.value).endswith("; mend the reader parrots")


def test_records_of_other_splits_may_stand_between_an_images_pairs():
    splits = [("a", "train"), ("a", "valid"), ("a", "train"), ("b", "train")]
    records = [Record(image, "q", "a", split) for image, split in splits]
    SourceData(Path("/p"), Path("/"), records, []).check("parrots")


def test_thing_that_is_no_reader_is_refused():
    with pytest.raises(InputError, match="the data set os:path is a module, not a"):
        reader("os:path")


def test_truth_of_a_data_set_is_what_its_reader_names():
    names = {name: truth_name(name) for name in [*DATASETS.names(), "gone"]}
    assert {name: truth for name, truth in names.items() if truth} == {
        "easy-vqa": "easy-vqa",
        "scenes": "scenes",
    }


def test_flags_of_prepare_are_the_readers_options(monkeypatch):
    monkeypatch.setattr(DATASETS, "_ours", dict(DATASETS._ours))
    DATASETS.register("parrots", READER, "parrots")
    options = {option.name for name in DATASETS.names() for option in reader(name).options}
    words = ["prepare", "--dataset", "parrots", "--dest", "d", "--noise", "2"]
    args = build_parser("prepare").parse_args(words)
    assert args.noise == "2"
    assert options == vars(args).keys() - {
        "command", "run", "dataset", "source", "dest", "overwrite"
    }  # fmt: skip


def test_flag_has_one_help_line_a_meaning(monkeypatch, capsys):
    monkeypatch.setattr(DATASETS, "_ours", dict(DATASETS._ours))
    DATASETS.register("parrots", READER, "parrots")
    with pytest.raises(SystemExit):
        main(["prepare", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "--noise VALUE parrots: how loud, in % of a jay (default: 0.5)" in text
    assert "visual7w, vqa2: draw N of the images for training; 0 keeps all (default: 0)" in text
    assert "parrots: draws parrots (default: 7)" in text
    assert "parrots: a cage" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--valid-pairs", "3"],
            "--valid-pairs: the data set jsonl has no such option; it takes --split, --seed",
        ),
        (["--max-images", "1"], "--max-images: the data set jsonl has no such option"),
    ],
)
def test_flag_of_another_data_set_is_one_line(tmp_path, capsys, arguments, message):
    words = ["prepare", "--dataset", "jsonl", "--source", "x", "--dest", str(tmp_path / "data")]
    assert main([*words, *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"vqapg prepare: error: {message}")
