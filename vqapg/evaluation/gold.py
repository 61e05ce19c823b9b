"""How generated pairs stand to the pairs that people wrote: what is new against train, what of an
image's was found.
"""

from vqapg.evaluation.figures import pair_text
from vqapg.evaluation.metric import Metric, PartOf


def novelty_figures(figures, train):
    """Shares of the distinct generated pairs, and of their distinct questions, that *train* does
    not hold.

    *train* is the list of train pairs; pairs count by their text, as N does, whatever their images.
    """
    pairs, questions = {pair_text(pair) for pair in train}, {pair.question for pair in train}
    asked = [pair.question for pair in figures.pairs]
    return {
        "novel_pairs": figures.distinct_share(
            figures.image, figures.texts, lambda text: text not in pairs
        ),
        "novel_questions": figures.distinct_share(
            figures.image, asked, lambda text: text not in questions
        ),
    }


def recall_figures(figures, gold):
    """The mean over images of the share of an image's distinct *gold* pairs that were generated for
    it.
    """
    of_image = {image: set() for image in figures.images}
    for pair in gold:
        if pair.image in of_image:
            of_image[pair.image].add((pair.question, pair.answer))
    said = {image: set() for image in figures.images}
    for image, *pair in figures.triples:
        said[image].add(tuple(pair))
    shares = [len(of_image[image] & said[image]) / len(of_image[image]) for image in figures.images]
    return {"gold_recall": figures.mean(range(len(shares)), shares)}


def _novelty(inputs):
    return novelty_figures(inputs.figures, inputs.train)


def _recall(inputs):
    return recall_figures(inputs.figures, inputs.gold)


METRICS = (
    Metric(
        key="novel_pairs",
        label="pairs that are not in train",
        unit="share",
        over="distinct pairs",
        better="higher",
        version=1,
        group="diversity, all images",
        needs=("train",),
        compute=PartOf(_novelty, "novel_pairs"),
    ),
    Metric(
        key="novel_questions",
        label="questions that are not in train",
        unit="share",
        over="distinct questions",
        better="higher",
        version=1,
        group="diversity, all images",
        needs=("train",),
        compute=PartOf(_novelty, "novel_questions"),
    ),
    Metric(
        key="gold_recall",
        label="gold pairs found, mean of the images",
        unit="share",
        over="images",
        better="higher",
        version=1,
        group="overlap with the gold pairs of the image",
        needs=("gold",),
        compute=PartOf(_recall, "gold_recall"),
    ),
)
