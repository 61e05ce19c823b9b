"""How generated pairs stand to the pairs that people wrote: what is new against train, what of an image's was found."""

from vqapg.evaluation.figures import pair_text


def novelty_figures(figures, train):
    """Shares of the distinct generated pairs, and of their distinct questions, that *train* does not hold.

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
    """The mean over images of the share of an image's distinct *gold* pairs that were generated for it."""
    of_image = {image: set() for image in figures.images}
    for pair in gold:
        if pair.image in of_image:
            of_image[pair.image].add((pair.question, pair.answer))
    said = {image: set() for image in figures.images}
    for image, *pair in figures.triples:
        said[image].add(tuple(pair))
    shares = [len(of_image[image] & said[image]) / len(of_image[image]) for image in figures.images]
    return {"gold_recall": figures.mean(range(len(shares)), shares)}
