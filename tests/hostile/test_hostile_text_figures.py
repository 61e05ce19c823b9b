"""Figures on files that were joined, and on data where a figure has no value."""

import json

import pytest

from tests.support.handwritten_data import write_data
from vqapg.cli.main import main
from vqapg.data.directory import DataDirectory, Pair
from vqapg.errors import InputError
from vqapg.evaluation.generated import GeneratedPair, read_generated
from vqapg.evaluation.metrics import compute_metrics
from vqapg.evaluation.summary import format_table

GOLD = [
    Pair("a.png", "what is this ?", "a cat"),
    Pair("a.png", "why ?", "so"),
    Pair("b.png", "who ?", "me"),
]


def block(id, *texts):
    """What fairseq-generate prints of one pair."""
    lines = [f"S-{id}\tx.png", f"T-{id}\tgold"]
    for text in texts:
        lines += [f"H-{id}\t-0.5\t{text}", f"D-{id}\t-0.5\t{text}", f"P-{id}\t-0.5"]
    return "".join(f"{line}\n" for line in lines)


@pytest.fixture
def read(tmp_path):
    data = DataDirectory(write_data(tmp_path / "DATA", GOLD))

    def read(text):
        path = tmp_path / "given"
        path.write_text(text)
        return [(pair.id, pair.answer) for pair in read_generated(path, data)]

    return read


A, B = "why ? <sep> a", "why ? <sep> b"
TWICE = {
    "the whole file": block(0, A) + block(2, B) + block(0, A) + block(2, B),
    "a run of another seed": block(0, A) + block(2, B) + block(0, B),
    "one pair": block(0, A) + block(0, A),
    "without source texts": "".join(f"H-{id}\t-1\t{A}\n" for id in (0, 1, 0)),
    "n-best lists": block(0, A, B) + block(1, A, B) + block(0, A, B),
}


@pytest.mark.parametrize("kind", TWICE)
def test_a_pair_with_a_second_block_of_hypotheses_is_refused(read, kind):
    with pytest.raises(
        InputError, match=r"given:\d+: pair 0 has hypotheses already, from line \d on\. .*; give"
    ):
        read(TWICE[kind])


def test_the_lines_of_both_blocks_are_named(read):
    # A block has five lines, its hypothesis in the third.
    with pytest.raises(InputError, match="given:8: pair 0 .* from line 3 on"):
        read(block(0, A) + block(0, A))


def test_shards_of_different_pairs_and_equal_texts_of_an_nbest_list_are_read(read):
    assert read(block(2, A) + block(0, A, A, B) + block(1, B)) == [
        (0, "a"),
        (0, "a"),
        (0, "b"),
        (1, "b"),
        (2, "a"),
    ]


def lines(*records):
    return "".join(
        json.dumps({"image": "a.png", "question": "why?", **record}) + "\n" for record in records
    )


def test_json_lines_with_an_id_and_a_pair_twice_are_refused(read):
    said = {"id": 0, "answer": "a"}, {"id": 1, "answer": "b"}
    with pytest.raises(InputError, match="given:3: id 0 has this pair already, at line 1"):
        read(lines(*said, *said))
    # Spelled otherwise, it is the same pair.
    with pytest.raises(InputError, match="given:3: id 0 has this pair already"):
        read(lines(*said, {"id": 0, "answer": "A"}))


def test_json_lines_that_may_be_equal_are_read(read):
    # Draws without an id; the n-best list of one id; another pair of an id.
    assert len(read(lines({"answer": "a"}, {"answer": "b"}, {"answer": "a"}))) == 3
    assert (
        len(
            read(
                lines({"id": 0, "answer": "a"}, {"id": 0, "answer": "a"}, {"id": 1, "answer": "a"})
            )
        )
        == 3
    )
    assert (
        len(
            read(
                lines({"id": 0, "answer": "a"}, {"id": 1, "answer": "a"}, {"id": 0, "answer": "b"})
            )
        )
        == 3
    )


@pytest.fixture
def metrics(monkeypatch):
    monkeypatch.setattr("vqapg.evaluation.overlap.find_java", lambda: None)

    def metrics(pairs, gold=GOLD):
        pairs = [GeneratedPair(number, *pair, -1.0) for number, pair in enumerate(pairs)]
        return compute_metrics(pairs, gold=gold, resamples=10)

    return metrics


def test_cider_of_one_image_is_not_computed(metrics):
    pairs = [("a.png", "what is this ?", "a cat"), ("a.png", "why ?", "so")]
    one = metrics(pairs, GOLD[:2])
    assert one["cider"] == {"value": None, "n": 2, "ci95": None}
    assert "there is one image" in one["not_computed"]["cider"]
    assert (
        one["bleu4"]["value"] == pytest.approx(1, abs=1e-6) and "bleu4" not in one["not_computed"]
    )
    assert "CIDEr" in format_table(
        one
    ) and "not computed: has no value here: it weighs" in format_table(one)
    two = metrics(pairs)
    assert two["cider"]["value"] > 1 and "cider" not in two["not_computed"]


def test_bleu_without_any_four_gram_is_not_computed(metrics):
    short = metrics([("a.png", "why ?", "so"), ("b.png", "who ?", "me")])
    assert short["bleu4"] == {"value": None, "n": 2, "ci95": None}
    assert "no generated text has four tokens" in short["not_computed"]["bleu4"]
    assert short["distinct4"] == {"value": None, "n": 0, "ci95": None}
    assert short["self_bleu4"] == {"value": None, "n": 0, "ci95": None}
    table = format_table(short)
    assert "not computed: there are 0 4-grams" in table
    assert "not computed: there are 0 pairs of images with several" in table


def test_no_interval_where_a_figure_rests_on_one_image(metrics):
    # Two images, of which one alone has 4-grams.
    found = metrics([("a.png", "what is this one ?", "a cat"), ("b.png", "who", "me")])
    assert found["distinct4"]["value"] == 1 and found["distinct4"]["ci95"] is None
    assert found["distinct4_within_image"]["ci95"] is None
    assert found["unique_pairs"]["ci95"] is not None


def test_a_joined_file_ends_the_command_with_status_2(tmp_path, capsys):
    data = write_data(tmp_path / "DATA", GOLD)
    (tmp_path / "joined.txt").write_text(block(0, A) * 2)
    output = tmp_path / "metrics.json"
    assert (
        main(
            [
                "evaluate",
                str(data),
                "--pairs",
                str(tmp_path / "joined.txt"),
                "--output",
                str(output),
            ]
        )
        == 2
    )
    assert "pair 0 has hypotheses already" in capsys.readouterr().err and not output.exists()
