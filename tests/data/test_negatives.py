import collections

import numpy as np
import pytest

from tests.support.handwritten_data import PAIRS, WRONG_ANSWERS
from vqapg.data.directory import Pair
from vqapg.data.negatives import (
    NEGATIVES,
    SHUFFLES,
    HardNegatives,
    PaperNegatives,
    PeopleNegatives,
    PublishedNegatives,
    SwappedNegatives,
    known_answers,
    shuffle,
)
from vqapg.errors import InputError

# Nothing is listed twice, so that no shuffle but one that moves nothing gives a listed pair.
DISTINCT = [Pair(f"{i}.png", f"what {i} ?", f"a{i}") for i in range(400)]
# Four pairs an image, two of each type; no answer comes twice.
TYPED = [
    Pair(f"{i // 4}.png", f"{('what color', 'is there')[i % 2]} {i} ?", f"a{i}") for i in range(400)
]


def changed(triple, pair):
    """Which of image, question and answer are not the pair's own."""
    return tuple(np.flatnonzero(np.array(triple) != pair))


@pytest.mark.parametrize("action", SHUFFLES)
def test_an_action_shuffles_what_it_says_and_nothing_else(action):
    shuffled = shuffle(np.arange(50), [action] * 50, np.random.default_rng(0))
    for column in range(3):
        # A shuffle: what was there is there once, in another order.
        assert sorted(shuffled[:, column]) == list(range(50))
        assert np.array_equal(shuffled[:, column], np.arange(50)) == (
            column not in SHUFFLES[action]
        )
    if action == "all":  # each on its own: nothing that belonged together is kept together
        assert not np.array_equal(shuffled[:, 0], shuffled[:, 1])


def test_an_action_a_pair_changes_that_pair_alone_and_uses_nothing_twice():
    actions = list(SHUFFLES) * 10
    shuffled = shuffle(np.arange(100, 140), actions, np.random.default_rng(0))
    for triple, action, pair in zip(shuffled, actions, range(100, 140)):
        assert set(changed(triple, pair)) <= set(SHUFFLES[action])
        assert set(triple) <= set(range(100, 140))
    for column in range(3):
        moved = shuffled[[column in SHUFFLES[action] for action in actions], column]
        assert len(set(moved)) == len(moved)


def test_the_papers_action_is_one_for_the_whole_batch_and_all_four_come():
    batch, generator, actions = np.arange(40), np.random.default_rng(0), collections.Counter()
    for _ in range(400):
        places, triples = PaperNegatives(DISTINCT).draw(batch, generator)
        columns = {changed(triple, pair) for triple, pair in zip(triples, batch[places])}
        assert set().union(*columns) in ({0}, {1}, {2}, {0, 1, 2})
        actions[frozenset(set().union(*columns))] += 1
    assert len(actions) == 4 and all(70 < count < 130 for count in actions.values()), actions


def test_the_papers_fixed_negatives_have_each_action_for_a_quarter_of_the_pairs():
    places, triples = PaperNegatives(DISTINCT).draw_fixed(np.random.default_rng(0))
    counts = collections.Counter(changed(triple, place) for place, triple in zip(places, triples))
    # A hundred each; a shuffle may leave a few pairs, or one of three parts, in their places.
    assert all(95 <= counts[columns] <= 100 for columns in ((0,), (1,), (2,), (0, 1, 2))), counts


@pytest.mark.parametrize("kind", ["paper", "hard", "swapped"])
@pytest.mark.parametrize("fixed", [True, False])
def test_negatives_are_unlisted_and_told_by_their_pair(kind, fixed):
    negatives, generator, listed = (
        NEGATIVES[kind](PAIRS),
        np.random.default_rng(0),
        {tuple(pair) for pair in PAIRS},
    )
    batch = np.array([4, 0, 3, 1, 2]) if not fixed else np.arange(5)
    for _ in range(50):
        places, triples = (
            negatives.draw_fixed(generator) if fixed else negatives.draw(batch, generator)
        )
        assert places.tolist() == sorted(places.tolist())
        for place, triple in zip(places, triples):
            texts = negatives.texts(triple)
            assert texts == tuple(PAIRS[number][column] for column, number in enumerate(triple))
            assert texts not in listed
            # An answer may come from outside the batch, a swapped image too; the rest keeps to it.
            kept = triple[1:2] if kind == "swapped" else triple[:2]
            assert set(kept) <= set(batch) and changed(triple, batch[place])


def slow_published(batch, generator):
    """The published rule, one pair after the other: every shuffled triple is a negative."""
    action = ["images", "questions", "answers", "all"][generator.integers(4)]
    images, questions, answers = (generator.permutation(batch).tolist() for _ in range(3))
    return [
        (
            images[place] if action in ("images", "all") else pair,
            questions[place] if action in ("questions", "all") else pair,
            answers[place] if action in ("answers", "all") else pair,
        )
        for place, pair in enumerate(batch.tolist())
    ]


def test_published_negatives_keep_listed_pairs():
    batch, accidental = np.array([4, 0, 3, 1, 2]), 0
    for seed in range(100):
        expected = slow_published(batch, np.random.default_rng(seed))
        draw = PublishedNegatives(PAIRS).draw(batch, np.random.default_rng(seed))
        assert draw[0].tolist() == [0, 1, 2, 3, 4]
        assert list(map(tuple, draw[1].tolist())) == expected
        # The paper's are the same, less what reads as a pair of the data.
        listed = [(PAIRS[i][0], PAIRS[q][1], PAIRS[a][2]) in PAIRS for i, q, a in expected]
        accidental += sum(listed)
        kept = [place for place in range(5) if not listed[place]]
        paper = PaperNegatives(PAIRS).draw(batch, np.random.default_rng(seed))
        assert paper[0].tolist() == kept
        assert list(map(tuple, paper[1].tolist())) == [expected[place] for place in kept]
    assert 100 < accidental < 400, "both must be there for the rules to differ"


def test_published_fixed_negatives_are_one_a_pair():
    places, triples = PublishedNegatives(PAIRS).draw_fixed(np.random.default_rng(3))
    fewer, paper = PaperNegatives(PAIRS).draw_fixed(np.random.default_rng(3))
    assert places.tolist() == [0, 1, 2, 3, 4] and len(fewer) < 5
    assert triples[fewer].tolist() == paper.tolist()


def test_hard_negatives_are_one_a_pair_of_three_kinds():
    negatives, generator, batch = (
        HardNegatives(TYPED),
        np.random.default_rng(0),
        np.arange(100, 140),
    )
    shuffles = collections.Counter()
    for _ in range(150):
        places, triples = negatives.draw(batch, generator)
        assert places.tolist() == list(range(40))
        for pair, triple in zip(batch, triples):
            columns, answer = changed(triple, pair), triple[2]
            if columns != (2,):
                shuffles[columns] += 1
            elif answer // 4 == pair // 4:
                shuffles["same image"] += 1
            elif answer not in batch:
                shuffles["same type"] += 1
                assert answer % 2 == pair % 2
            else:
                shuffles[columns] += 1
            assert set(triple[:2]) <= set(batch)
    # Of 6,000, 2,000 of each kind, so 500 of each shuffle; "all" may leave one of the three in its
    # place, and of the answers of the same type and of the shuffled ones a few are in the batch or
    # of the image.
    assert all(430 < shuffles[columns] < 570 for columns in ((0,), (1,), (0, 1, 2))), shuffles
    assert 1900 < shuffles["same image"] < 2150 and 1500 < shuffles["same type"] < 2000, shuffles


def test_the_type_of_a_question_is_its_first_two_words():
    questions = ["what color is it ?", "what shape is it ?", "what color has it ?"]
    pairs = [Pair(f"{i}.png", question, f"a{i}") for i, question in enumerate(questions)]
    # One word would join all three; three words would join none.
    groups = HardNegatives(pairs).groups["same type"]
    assert [group.tolist() for group in groups] == [[0, 2], [1], [0, 2]]


def test_a_hard_negative_that_is_listed_is_drawn_again():
    # Half of all swaps of a yes and a no give the answer that the pair has.
    pairs = [Pair(f"{i // 2}.png", f"is there {i % 2} ?", ("yes", "no")[i % 2]) for i in range(80)]
    negatives = HardNegatives(pairs)
    for draw in (negatives.draw_fixed, lambda generator: negatives.draw(np.arange(80), generator)):
        places, triples = draw(np.random.default_rng(0))
        assert places.tolist() == list(range(80))
        swapped = [
            (place, triple)
            for place, triple in zip(places, triples)
            if changed(triple, place) == (2,)
        ]
        assert len(swapped) >= 53
        assert all(negatives.texts(triple)[2] != pairs[place].answer for place, triple in swapped)


def test_where_type_and_image_have_one_answer_a_hard_negative_is_a_shuffle():
    pairs = [Pair(f"{i}.png", f"is there {i} ?", "no") for i in range(9)] + [
        Pair("9.png", "what ?", "red")
    ]
    places, triples = HardNegatives(pairs).draw(np.arange(10), np.random.default_rng(0))
    assert places.tolist() == list(range(10))
    assert all(changed(triple, place) != () for place, triple in zip(places, triples))


def test_one_pair_alone_has_no_negative():
    for kind in (PaperNegatives, HardNegatives):
        places, triples = kind(PAIRS[:1]).draw(np.arange(1), np.random.default_rng(0))
        assert len(places) == 0 and triples.shape == (0, 3)


def test_people_negatives_are_wrong_answers_of_the_pair_itself():
    negatives = PeopleNegatives(PAIRS, WRONG_ANSWERS)
    generator, said = np.random.default_rng(0), collections.Counter()
    for _ in range(300):
        places, triples = negatives.draw(np.array([3, 0]), generator)
        assert places.tolist() == [0, 1]
        assert triples[:, :2].tolist() == [[3, 3], [0, 0]]
        said.update(map(negatives.texts, triples.tolist()))
    # Each of its own equally often, and no other.
    assert said.keys() == {
        (pair.image, pair.question, answer)
        for pair, answers in WRONG_ANSWERS.items()
        for answer in answers
    }
    assert all(
        70 < said["a.png", PAIRS[0].question, answer] < 130 for answer in WRONG_ANSWERS[PAIRS[0]]
    )


def test_pair_without_wrong_answers_gets_a_shuffle():
    pairs = [*DISTINCT[:40]]
    negatives = PeopleNegatives(pairs, {pairs[0]: ("wrong",)})
    places, triples = negatives.draw_fixed(np.random.default_rng(1))
    assert negatives.texts(triples[0]) == ("0.png", "what 0 ?", "wrong")
    changes = collections.Counter(changed(t, p) for p, t in zip(places[1:], triples[1:]))
    assert {(0,), (1,), (2,)} < set(changes) and () not in changes
    assert all(set(triple) <= set(range(40)) for triple in triples[1:].tolist())


def test_wrong_answer_that_is_listed_is_no_negative():
    # The question is asked twice of the image, and people answered it in two ways.
    pairs = [Pair("a.png", "what ?", "a cat"), Pair("a.png", "what ?", "a pet")]
    negatives = PeopleNegatives(pairs, {pairs[0]: ("a pet", "a dog")})
    drawn = {
        negatives.texts(negatives.draw(np.array([0]), np.random.default_rng(s))[1][0])
        for s in range(20)
    }
    assert drawn == {("a.png", "what ?", "a dog")}


def test_people_negatives_without_wrong_answers_are_refused():
    for wrong in (None, {}, {PAIRS[0]: ()}):
        with pytest.raises(InputError, match="--negatives people: the data directory has no wrong"):
            PeopleNegatives(PAIRS, wrong)


# Each question is asked of 20 images, with two answers.
ASKED = [Pair(f"{i}.png", f"what {i % 5} ?", ("red", "blue")[i // 5 % 2]) for i in range(100)]


def test_half_of_swapped_negatives_have_another_image():
    negatives, generator, batch = (
        SwappedNegatives(ASKED),
        np.random.default_rng(0),
        np.arange(20, 60),
    )
    counts, images = collections.Counter(), set()
    for _ in range(200):
        places, triples = negatives.draw(batch, generator)
        for place, triple in zip(places, triples):
            pair = ASKED[batch[place]]
            image, question, answer = negatives.texts(triple)
            outside = triple[0] not in batch
            counts[changed(triple, batch[place]), outside] += 1
            if outside:  # a swap for certain: the same question, with the other answer there
                own = [other for other in ASKED if other.image == image]
                assert [other.question for other in own] == [question]
                assert (question, answer) == pair[1:] and own[0].answer != answer
                images.add(image)
    # Of 8,000, 4,000 are swapped; each has ten images to choose from, six of them outside.
    assert 2200 < counts[(0,), True] < 2600, counts
    assert len(images) == 60, "every image outside the batch comes"
    # 1,600 of the swapped, and 1,000 shuffled ones less those that read as a pair.
    assert 1600 < counts[(0,), False] < 2700, counts
    assert all(300 < counts[columns, False] < 1050 for columns in ((1,), (2,))), counts


def test_swapped_negative_without_an_image_is_a_shuffle():
    # All images have the same answer, and no question is asked twice.
    pairs = [Pair(f"{i}.png", f"is there {i} ?", "no") for i in range(40)]
    places, triples = SwappedNegatives(pairs).draw_fixed(np.random.default_rng(1))
    changes = collections.Counter(changed(t, p) for p, t in zip(places, triples))
    # A shuffled answer is the same answer, so that it makes a listed pair and is left out.
    assert changes.keys() == {(0,), (1,), (0, 1, 2)} and len(places) > 25


def test_known_answers_leave_out_unknown_words():
    wrong = {PAIRS[0]: ("a red dog", "red"), PAIRS[1]: ("a dog",)}
    assert known_answers(wrong, ["a", "red"]) == {PAIRS[0]: ["red"], PAIRS[1]: []}
