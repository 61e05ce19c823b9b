"""Diversity of a generated set: over all images (section 5.2), and among the pairs of one image.

A key that ends in ``_distinct_triples`` is the same figure once repeats within an image are left
out.
"""

import numpy as np
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from tqdm import tqdm

from vqapg.evaluation.figures import number_items
from vqapg.evaluation.metric import Metric, PartOf

SMOOTHING = SmoothingFunction().method1


def diversity_figures(figures):
    """D and N over the whole set; Distinct-4 and Self-BLEU within an image; all of *figures*
    (Figures).
    """
    n = figures.distinct_count(figures.image, figures.texts, possible=(1, len(figures.texts)))
    repeated, single = self_bleu_4(figures.triple_image, figures.triple_texts, figures.said)
    return (
        {"unique_pairs": n}
        | _distinct_figures(figures, figures.image, figures.texts, "")
        | _distinct_figures(
            figures, figures.triple_image, figures.triple_texts, "_distinct_triples"
        )
        | {
            "self_bleu4": _mean_of_known(figures, figures.image, repeated[figures.said]),
            "self_bleu4_distinct_triples": _mean_of_known(figures, figures.triple_image, single),
        }
    )


def _distinct_figures(figures, image, texts, suffix):
    owner, grams = four_grams(texts)
    within_image, within = distinct_4_within(image[owner], grams)
    return {
        f"distinct4{suffix}": figures.distinct_ratio(image[owner], grams),
        f"distinct4_within_image{suffix}": figures.mean(within_image, within),
    }


def _mean_of_known(figures, image, value):
    known = ~np.isnan(value)
    return figures.mean(image[known], value[known])


def four_grams(texts):
    """Every 4-gram of every text, repeats included.

    Returns (owner [M], gram [M]): the index of the text that a 4-gram stands in, and a number that
    is the same for equal 4-grams. A text of fewer than 4 tokens has none.
    """
    owners, grams = [], []
    for owner, text in enumerate(texts):
        tokens = text.split()
        for start in range(len(tokens) - 3):
            owners.append(owner)
            grams.append(tuple(tokens[start : start + 4]))
    return np.array(owners, dtype=np.int64), number_items(grams)


def distinct_4_within(image, grams):
    """Distinct-4 (Li et al., 2016) of each image's texts alone, as Shetty et al. (2017) measure
    captions.

    *image* and *grams* [M] are the image and the number of every 4-gram. Returns (images, ratios);
    an image without any 4-gram is not among them.
    """
    images, counts = np.unique(image, return_counts=True)
    of_distinct = np.unique(np.stack([image, grams]), axis=1)[0]
    return images, np.unique(of_distinct, return_counts=True)[1] / counts


def self_bleu_4(image, texts, said):
    """BLEU-4 of a text against all other texts of its image: low where an image is asked different
    things.

    Self-BLEU of Zhu et al. (2018), within an image as mBLEU of Shetty et al. (2017): nltk's
    ``sentence_bleu`` with its smoothing ``method1``, as in the former's Texygen.

    Args:
        image, texts: [T], of each distinct triple
        said: [M], the triple of each pair

    Returns:
        two arrays [T]: with all pairs, where a text that its image has twice stands against itself,
        and with distinct triples only; nan where the image has no other text
    """
    tokens = [text.split() for text in texts]
    of_image = {}
    for triple, number in enumerate(image):
        of_image.setdefault(number, []).append(triple)
    times = np.bincount(said, minlength=len(texts))
    repeated, single = np.full((2, len(texts)), np.nan)
    for triple in tqdm(
        range(len(texts)), desc="Self-BLEU", unit="pair", delay=2, leave=False, disable=None
    ):
        others = [tokens[other] for other in of_image[image[triple]] if other != triple]
        if others:
            single[triple] = sentence_bleu(others, tokens[triple], smoothing_function=SMOOTHING)
        if times[triple] > 1:
            others = [tokens[triple], *others]
            repeated[triple] = sentence_bleu(others, tokens[triple], smoothing_function=SMOOTHING)
        else:
            repeated[triple] = single[triple]
    return repeated, single


def _figures(inputs):
    return diversity_figures(inputs.figures)


_SET = {"group": "diversity, all images", "version": 1}
_IMAGE = {"group": "diversity, within an image", "version": 1}
_DISTINCT_4 = Metric(
    key="distinct4",
    symbol="D",
    label="Distinct-4",
    unit="share",
    over="4-grams",
    better="higher",
    compute=PartOf(_figures, "distinct4"),
    **_SET,
)
_UNIQUE = Metric(
    key="unique_pairs",
    symbol="N",
    label="distinct pairs",
    unit="count",
    over="well-formed pairs",
    better="higher",
    compute=PartOf(_figures, "unique_pairs"),
    **_SET,
)
_WITHIN = Metric(
    key="distinct4_within_image",
    label="Distinct-4 within an image",
    unit="share",
    over="images",
    better="higher",
    compute=PartOf(_figures, "distinct4_within_image"),
    **_IMAGE,
)
_SELF_BLEU = Metric(
    key="self_bleu4",
    label="Self-BLEU-4",
    unit="share",
    over="pairs of images with several",
    better="lower",
    compute=PartOf(_figures, "self_bleu4"),
    **_IMAGE,
)
METRICS = (
    _DISTINCT_4,
    _DISTINCT_4.variant("_distinct_triples", "repeats left out", "4-grams"),
    _UNIQUE,
    _WITHIN,
    _WITHIN.variant("_distinct_triples", "repeats left out", "images"),
    _SELF_BLEU,
    _SELF_BLEU.variant("_distinct_triples", "repeats left out", "pairs of images with several"),
)
