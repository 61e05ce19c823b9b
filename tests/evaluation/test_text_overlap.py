import json
import math

import pytest

from tests.support.handwritten_data import PAIRS, write_data
from vqapg.cli.main import main
from vqapg.data.directory import Pair
from vqapg.errors import InputError
from vqapg.evaluation import text_overlap as module
from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.text_overlap import text_overlap


def said(id, question, answer):
    return GeneratedPair(id, PAIRS[id].image, question, answer, -0.5)


GENERATED = [
    said(0, "what color is the circle ?", "red"),  # gold: what color is the shape ?
    said(1, "is there a circle ?", "no"),  # the gold one
    said(2, None, None),
]


@pytest.fixture
def without_meteor(monkeypatch):
    monkeypatch.setattr(module, "not_computed", lambda: {"meteor": "needs Java"})


def test_questions_are_measured_against_the_pairs_own_question_alone(without_meteor):
    figures = text_overlap(GENERATED, PAIRS, "question")
    # Without question marks: 4 of 5 and 4 of 4 tokens, 3 of 4 and 3 of 3 pairs, 2 of 3 and 2 of 2,
    # 1 of 2 and 1 of 1.
    bleu = (8 / 9 * 6 / 7 * 4 / 5 * 2 / 3) ** 0.25
    assert figures["bleu4"]["value"] == pytest.approx(bleu, abs=1e-6) and figures["bleu4"]["n"] == 2
    # The longest common subsequence is 4 of 5 tokens on both sides; the other question is equal.
    assert figures["rouge_l"]["value"] == pytest.approx((0.8 + 1) / 2)
    assert figures["exact"]["value"] == 0.5
    assert "meteor" not in figures and figures["not_computed"] == {"meteor": "needs Java"}


def test_answers_are_measured_alike(without_meteor):
    pairs = [said(0, "q", "red"), said(2, "q", "no"), said(3, "q", "?")]
    figures = text_overlap(pairs, PAIRS, "answer")
    assert figures["exact"]["value"] == pytest.approx(1 / 3) and figures["rouge_l"][
        "value"
    ] == pytest.approx(1 / 3)
    # No answer has four tokens, so none has a 4-gram.
    assert figures["bleu4"] == {"value": None, "n": 3, "ci95": None}
    assert "four tokens" in figures["not_computed"]["bleu4"]


@pytest.mark.parametrize("pair", [said(1, "q", "a"), said(4, "q", "a")])
def test_an_id_that_names_another_pair_is_refused(without_meteor, pair):
    gold = PAIRS[:1] + PAIRS[2:4]
    with pytest.raises(InputError, match=f"id {pair.id} is not a pair of"):
        text_overlap([pair], gold, "answer")


def test_without_pycocoevalcap_what_is_exact_is_counted(monkeypatch):
    reasons = dict.fromkeys(("bleu4", "meteor", "rouge_l"), "need pycocoevalcap")
    monkeypatch.setattr(module, "not_computed", lambda: reasons)
    figures = text_overlap(GENERATED, PAIRS, "question")
    assert set(figures) == {"exact", "not_computed"} and figures["exact"]["value"] == 0.5


def test_the_command_stores_every_figure(tmp_path, capsys, without_meteor):
    data = write_data(tmp_path / "data", PAIRS)
    pairs = tmp_path / "generate-test.txt"
    pairs.write_text(
        "".join(
            f"H-{id}\t-0.5\t{pair.question} <sep> {pair.answer}\n" for id, pair in enumerate(PAIRS)
        )
    )
    output = tmp_path / "metrics.json"
    arguments = ["overlap", str(data), "--pairs", str(pairs), "--output", str(output)]
    assert main([*arguments, "--of", "question"]) == 0
    stored = json.loads(output.read_text())
    assert set(stored["provenance"]["inputs"]) == {"data", "pairs"}
    assert (stored["pairs"], stored["images"], stored["malformed"], stored["of"]) == (
        5,
        3,
        0,
        "question",
    )
    assert math.isclose(stored["bleu4"]["value"], 1, abs_tol=1e-6)
    # All of three images: Wilson's interval.
    assert stored["exact"]["ci95"] == pytest.approx([3 / (3 + 1.96**2), 1], abs=1e-4)
    assert "vqapg overlap: not computed: meteor, which needs Java" in capsys.readouterr().err
    assert main([*arguments, "--of", "answer", "--seed", "-1"]) == 2
    assert (
        main(
            ["overlap", str(data), "--pairs", str(pairs), "--of", "answer", "--output", str(pairs)]
        )
        == 2
    )
    assert "is read by this very command" in capsys.readouterr().err


def test_a_text_of_punctuation_alone_stays_as_it_is(without_meteor):
    generated, gold = GeneratedPair(0, "a.png", "what ?", "!", -0.5), Pair("a.png", "what ?", "!")
    figures = text_overlap([generated], [gold], "answer")
    assert figures["rouge_l"]["value"] == figures["exact"]["value"] == 1
