from vqapg.data.directory import Pair
from vqapg.evaluation.figures import Figures
from vqapg.evaluation.generated import GeneratedPair
from vqapg.evaluation.gold import novelty_figures, recall_figures

SAID = [
    ("a.png", "what ?", "red"),
    ("a.png", "what ?", "red"),
    ("a.png", "why ?", "so"),
    ("b.png", "what ?", "red"),
    ("b.png", "what ?", "blue"),
    ("c.png", None, None),
]
FIGURES = Figures(
    [GeneratedPair(number, *said, -1.0) for number, said in enumerate(SAID)], resamples=20
)


def values(figures):
    return {key: (figure["value"], figure["n"]) for key, figure in figures.items()}


def test_novelty_by_hand():
    # Said: "what ? red", "why ? so" and "what ? blue"; asked: "what ?" and "why ?".
    train = [Pair("z.png", "what ?", "red"), Pair("z.png", "why ?", "thus")]
    assert values(novelty_figures(FIGURES, train)) == {
        "novel_pairs": (2 / 3, 3),
        "novel_questions": (0.0, 2),
    }
    assert values(novelty_figures(FIGURES, train[:1]))["novel_questions"] == (1 / 2, 2)


def test_a_gold_pair_counts_once_and_for_its_own_image_only():
    gold = [
        Pair("a.png", "what ?", "red"),
        Pair("a.png", "what ?", "red"),
        Pair("a.png", "what ?", "blue"),  # said of b.png only
        Pair("b.png", "what ?", "blue"),
        Pair("c.png", "what ?", "red"),  # all that was generated for it is malformed
        Pair("d.png", "what ?", "red"),  # nothing was generated for it
    ]
    assert values(recall_figures(FIGURES, gold)) == {"gold_recall": ((1 / 2 + 1 + 0) / 3, 3)}
    assert recall_figures(FIGURES, gold)["gold_recall"]["ci95"] == FIGURES.bootstrap.mean(
        [0, 1, 2], [0.5, 1, 0]
    )
