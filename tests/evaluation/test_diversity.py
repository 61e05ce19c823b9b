import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from pytest import approx

from vqapg.evaluation.diversity import diversity_figures, four_grams
from vqapg.evaluation.figures import Figures
from vqapg.evaluation.generated import GeneratedPair

# (image, text) of some pairs; repeats and short texts among them.
SAID = st.lists(
    st.tuples(
        st.sampled_from("xy"),
        st.lists(st.sampled_from("abc"), min_size=1, max_size=8).map(" ".join),
    ),
    min_size=1,
    max_size=8,
)


def measure(said):
    """{key: (value, n)} of [(image, question), ...], each answered "z"."""
    pairs = [
        GeneratedPair(number, image, question, "z", 0.0)
        for number, (image, question) in enumerate(said)
    ]
    return {
        key: (figure["value"], figure["n"])
        for key, figure in diversity_figures(Figures(pairs, resamples=5)).items()
    }


def mean(values):
    return (approx(sum(values) / len(values)), len(values)) if values else (None, 0)


def test_by_hand():
    found = measure(
        [("x", "a b c d"), ("x", "a b c d"), ("x", "a b c"), ("y", "b c d"), ("y", "a b")]
    )
    # x: abcd bcdz, again, and abcz. y: bcdz, and nothing.
    assert found["distinct4"] == (3 / 6, 6)
    assert found["distinct4_distinct_triples"] == (3 / 4, 4)
    assert found["distinct4_within_image"] == ((3 / 5 + 1) / 2, 2)
    assert found["distinct4_within_image_distinct_triples"] == (1.0, 2)
    assert found["unique_pairs"] == (4, 5)


def test_four_grams_run_through_question_and_answer_but_not_from_pair_to_pair():
    owner, gram = four_grams(["a b", "c d", "a b c d"])
    assert owner.tolist() == [2] and gram.tolist() == [0]
    assert measure([("x", "what is it")])["distinct4"] == (1.0, 1)
    assert measure([("x", "a b"), ("x", "c d")])["distinct4"] == (None, 0)


@given(SAID)
def test_distinct_4_and_n_are_the_obvious_counts(said):
    found = measure(said)

    def grams(texts):
        windows = [f"{text} z".split()[start : start + 4] for text in texts for start in range(9)]
        return [tuple(window) for window in windows if len(window) == 4]

    everything = grams([text for _, text in said])
    [share] = mean([len(set(everything)) / len(everything)] if everything else [])[:1]
    assert found["distinct4"] == (share, len(everything))
    of_images = [grams([text for image, text in said if image == name]) for name in "xy"]
    assert found["distinct4_within_image"] == mean(
        [len(set(some)) / len(some) for some in of_images if some]
    )
    assert found["unique_pairs"] == (len({text for _, text in said}), len(said))


def test_self_bleu_by_hand():
    found = measure([("x", "a b c d"), ("x", "a b c e"), ("x", "a b c d"), ("y", "a b c d")])
    # "a b c d z" against "a b c e z": 4/5, 2/4, 1/3 and, smoothed, 0.1/2. Said twice it stands
    # against itself.
    one = (4 / 5 * 2 / 4 * 1 / 3 * 0.1 / 2) ** 0.25
    assert found["self_bleu4"] == (approx((1 + one + 1) / 3), 3)
    assert found["self_bleu4_distinct_triples"] == (approx(one), 2)
    # An image with one pair has no Self-BLEU.
    assert measure([("x", "a b c d"), ("y", "a b c d")])["self_bleu4"] == (None, 0)


@given(SAID)
def test_self_bleu_is_the_obvious_loop(said):
    def expected(said):
        values = []
        for place, (image, text) in enumerate(said):
            others = [
                f"{t} z".split() for p, (i, t) in enumerate(said) if i == image and p != place
            ]
            if others:
                smoothing = SmoothingFunction().method1
                values.append(
                    sentence_bleu(others, f"{text} z".split(), smoothing_function=smoothing)
                )
        return mean(values)

    found = measure(said)
    assert found["self_bleu4"] == expected(said)
    assert found["self_bleu4_distinct_triples"] == expected(list(dict.fromkeys(said)))


def test_self_bleu_is_that_of_sacrebleu():
    texts = [
        "is there a red circle here",
        "is there a circle",
        "what color is the circle",
        "is it a red circle or not",
    ]
    values = []
    for place, text in enumerate(texts):
        others = [f"{other} z" for other in texts[:place] + texts[place + 1 :]]
        score = sacrebleu.sentence_bleu(
            f"{text} z",
            others,
            smooth_method="floor",
            smooth_value=0.1,
            tokenize="none",
            use_effective_order=False,
        )
        values.append(score.score / 100)
    assert measure([("x", text) for text in texts])["self_bleu4"] == mean(values)
