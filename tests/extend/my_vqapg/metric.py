"""The share of answers that are one word."""

from vqapg.evaluation.metric import Metric


def compute(inputs):
    figures = inputs.figures
    short = [len(pair.answer.split()) == 1 for pair in figures.pairs]
    return figures.mean(figures.image, short)


METRIC = Metric(
    key="one_word_answers",
    label="one-word answers",
    unit="share",
    over="pairs",
    better=None,
    version=1,
    group="Style",
    compute=compute,
)
