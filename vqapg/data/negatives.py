"""Negative samples for the consistency evaluator (section 4.6).

A triple is written as three pair numbers: whose image, whose question, whose answer. Pair i itself
is (i, i, i). A triple that is one of the listed pairs is no negative and is left out. Only the
published kind keeps it.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vqapg.data.directory import Pair
from vqapg.data.swapped_images import SwappedImages
from vqapg.errors import InputError

Numbers = NDArray[np.int64]

# Section 4.6: which of image, question and answer is shuffled.
SHUFFLES = {"images": [0], "questions": [1], "answers": [2], "all": [0, 1, 2]}
# Words that tell a question's type, as "what color", "is there", "how many".
TYPE_WORDS = 2
# Draws of a hard negative before it is taken to have none of its kind: an image may have one answer
# to all questions.
TRIES = 10


class PaperNegatives:
    """One of the paper's four actions, drawn at random, for a whole mini-batch: shuffle images,
    questions, answers, or all three, each on its own. At most one negative a pair.

    Args:
        pairs: of the split
        wrong_answers: by pair, those that people wrote; only :class:`PeopleNegatives` uses them
    """

    def __init__(
        self, pairs: Sequence[Pair], wrong_answers: Mapping[Pair, Sequence[str]] | None = None
    ) -> None:
        self.pairs = pairs
        self.listed: set[tuple[str, str, str]] = set(pairs)

    def draw(self, batch: Numbers, generator: np.random.Generator) -> tuple[Numbers, Numbers]:
        """Negatives made of the pairs of a mini-batch.

        Args:
            batch: numbers of pairs
            generator: draws them

        Shape:
            ``[B]`` -> ``[M]``, ``[M, 3]``

        Returns:
            places in the batch, ascending, of the pairs that the negatives were made from; triples
        """
        action = list(SHUFFLES)[generator.integers(len(SHUFFLES))]
        return self._kept(np.arange(len(batch)), shuffle(batch, [action] * len(batch), generator))

    def draw_fixed(self, generator: np.random.Generator) -> tuple[Numbers, Numbers]:
        """Negatives made of all pairs of the split, once and for all, to measure by; as
        :meth:`draw`.

        The pairs of a batch share their action in training. Here each has its own, all actions
        equally often, and what is shuffled is the whole split: on average the same negatives,
        whatever the batch size, and a figure that does not hang on which actions a few batches
        happened to draw.
        """
        everything = np.arange(len(self.pairs))
        return self._kept(everything, self._shuffle_each(everything, generator))

    def texts(self, triple: Sequence[int] | Numbers) -> tuple[str, str, str]:
        """The image, question and answer that a triple ``[3]`` of pair numbers stands for."""
        image, question, answer = triple
        return self.pairs[image].image, self.pairs[question].question, self.pairs[answer].answer

    def is_listed(self, triple: Sequence[int] | Numbers) -> bool:
        return self.texts(triple) in self.listed

    def _shuffle_each(self, batch: Numbers, generator: np.random.Generator) -> Numbers:
        """An action for each pair, all equally often, give or take one: ``[B] -> [B, 3]``."""
        return shuffle(batch, _deal(len(batch), SHUFFLES, generator), generator)

    def _kept(self, places: Numbers, triples: Numbers) -> tuple[Numbers, Numbers]:
        """Of the negatives made, those that count: without the listed pairs."""
        kept = [row for row, triple in enumerate(triples.tolist()) if not self.is_listed(triple)]
        return places[kept], triples[kept]


def shuffle(batch: Numbers, actions: Sequence[str], generator: np.random.Generator) -> Numbers:
    """An action of section 4.6 on each of the pairs ``[B]``: triples ``[B, 3]``.

    One shuffle of each column serves all pairs of an action, so that nothing comes twice.
    """
    triples = np.stack([batch] * 3, axis=1)
    shuffled = np.stack([generator.permutation(batch) for _ in range(3)], axis=1)
    for row, action in enumerate(actions):
        triples[row, SHUFFLES[action]] = shuffled[row, SHUFFLES[action]]
    return triples


class PublishedNegatives(PaperNegatives):
    """As the authors' published code has them: a shuffle that gives a listed pair stays a negative.

    So every pair has one negative in each mini-batch. Some of them are pairs of the data, labelled
    0: a shuffle may leave a pair as it was, or give it an equal question or answer.
    """

    def _kept(self, places: Numbers, triples: Numbers) -> tuple[Numbers, Numbers]:
        return places, triples


class HardNegatives(PaperNegatives):
    """Beyond the paper: one negative for each pair, of three kinds that come equally often.

    - one of the paper's actions, drawn for each pair instead of for the batch
    - in the place of its answer, that of another question of the same type
    - in the place of its answer, that of another question of the same image

    Many of the paper's negatives give themselves away without the image ("what color ... ? yes"),
    and many are true ("is there a circle ? no", of another image). The two others keep the
    question, and are hardly ever true.

    What is listed is drawn again, as it was or at last by a shuffle, so that negatives weigh as
    much as pairs do and a score of 0.5 stands between them. Half of all swaps of a yes or a no are
    listed: were they left out, wrong answers would pass; with several negatives a pair, right ones
    would not.
    """

    def __init__(
        self, pairs: Sequence[Pair], wrong_answers: Mapping[Pair, Sequence[str]] | None = None
    ) -> None:
        super().__init__(pairs)
        self.groups = {
            "same type": _group([tuple(pair.question.split()[:TYPE_WORDS]) for pair in pairs]),
            "same image": _group([pair.image for pair in pairs]),
        }

    def draw(self, batch: Numbers, generator: np.random.Generator) -> tuple[Numbers, Numbers]:
        """As :meth:`PaperNegatives.draw`."""
        kinds = np.array(_deal(len(batch), ("shuffle", *self.groups), generator), dtype=object)
        triples, rows = np.empty((len(batch), 3), np.int64), np.arange(len(batch))
        for attempt in range(2 * TRIES):
            if attempt == TRIES:
                kinds[rows] = "shuffle"
            shuffled = self._shuffle_each(batch, generator)
            for row in rows:
                triples[row] = shuffled[row] if kinds[row] == "shuffle" else batch[row]
                if kinds[row] in self.groups:
                    group = self.groups[kinds[row]][batch[row]]
                    triples[row, 2] = group[generator.integers(len(group))]
            rows = rows[[self.is_listed(triple) for triple in triples[rows].tolist()]]
            if not len(rows):
                break
        return self._kept(np.arange(len(batch)), triples)

    def draw_fixed(self, generator: np.random.Generator) -> tuple[Numbers, Numbers]:
        """As :meth:`PaperNegatives.draw_fixed`."""
        return self.draw(np.arange(len(self.pairs)), generator)


class PeopleNegatives(PaperNegatives):
    """Beyond the paper: a wrong answer that people wrote to the pair's own question and image.

    Each draw takes one of them at random. A pair that has none gets one of the paper's actions, so
    that negatives weigh as much as pairs do.

    People write wrong answers that are rarer than right ones. An evaluator may learn that instead
    of looking; the control "answer only" of ``check-evaluator`` shows it.

    Args:
        pairs: of the split
        wrong_answers: by pair, in tokens

    Raises:
        InputError: if no pair has a wrong answer
    """

    def __init__(
        self, pairs: Sequence[Pair], wrong_answers: Mapping[Pair, Sequence[str]] | None = None
    ) -> None:
        super().__init__(pairs)
        # A wrong answer is numbered as the answers of pairs are, after them.
        self.answers = [pair.answer for pair in pairs]
        self.own: list[range] = []
        for pair in pairs:
            first = len(self.answers)
            for answer in (wrong_answers or {}).get(pair, ()):
                # A question may be asked twice of an image, and be answered in two ways.
                if (pair.image, pair.question, answer) not in self.listed:
                    self.answers.append(answer)
            self.own.append(range(first, len(self.answers)))
        if not any(self.own):
            raise InputError(
                "--negatives people: the data directory has no wrong answers that people wrote; "
                "prepare visual7w, or a JSONL file with wrong_answers, or give other --negatives"
            )

    def draw(self, batch: Numbers, generator: np.random.Generator) -> tuple[Numbers, Numbers]:
        """As :meth:`PaperNegatives.draw`."""
        triples = self._shuffle_each(batch, generator)
        for row, pair in enumerate(batch.tolist()):
            if own := self.own[pair]:
                triples[row] = pair, pair, own[generator.integers(len(own))]
        return self._kept(np.arange(len(batch)), triples)

    def draw_fixed(self, generator: np.random.Generator) -> tuple[Numbers, Numbers]:
        """As :meth:`PaperNegatives.draw_fixed`."""
        return self.draw(np.arange(len(self.pairs)), generator)

    def texts(self, triple: Sequence[int] | Numbers) -> tuple[str, str, str]:
        """As :meth:`PaperNegatives.texts`."""
        image, question, answer = triple
        return self.pairs[image].image, self.pairs[question].question, self.answers[answer]


class SwappedNegatives(PaperNegatives):
    """Beyond the paper: question and answer stay, and the image is one with another answer.

    Half of the pairs get such an image. The other half get one of the paper's actions each, all
    four equally often. So five eighths of the negatives keep question and answer together, where
    the paper's have a quarter: of these, texts alone say nothing.

    A pair that has no such image gets one of the paper's actions, so that negatives weigh as much
    as pairs do. :mod:`vqapg.data.swapped_images` says which images are taken.

    Source: the complementary pairs of VQA v2.0, https://arxiv.org/abs/1612.00837
    """

    def __init__(
        self, pairs: Sequence[Pair], wrong_answers: Mapping[Pair, Sequence[str]] | None = None
    ) -> None:
        super().__init__(pairs)
        self.images = SwappedImages(pairs)
        # A triple names an image by any pair of it.
        self.pair_of = {pair.image: number for number, pair in enumerate(pairs)}

    def draw(self, batch: Numbers, generator: np.random.Generator) -> tuple[Numbers, Numbers]:
        """As :meth:`PaperNegatives.draw`."""
        triples = self._shuffle_each(batch, generator)
        kinds = _deal(len(batch), ("swap", "shuffle"), generator)
        for row, (pair, kind) in enumerate(zip(batch.tolist(), kinds)):
            if kind == "swap" and (swap := self.images.draw(self.pairs[pair], generator)):
                triples[row] = self.pair_of[swap.image], pair, pair
        return self._kept(np.arange(len(batch)), triples)

    def draw_fixed(self, generator: np.random.Generator) -> tuple[Numbers, Numbers]:
        """As :meth:`PaperNegatives.draw_fixed`."""
        return self.draw(np.arange(len(self.pairs)), generator)


def known_answers(
    wrong_answers: Mapping[Pair, Sequence[str]], words: Iterable[str]
) -> dict[Pair, list[str]]:
    """The wrong answers that are made of *words*, the dictionary's.

    No right answer to train on has an unknown word, so such a word would give a wrong answer away.
    """
    known = frozenset(words)
    return {
        pair: [answer for answer in answers if known.issuperset(answer.split())]
        for pair, answers in wrong_answers.items()
    }


def _deal(count: int, actions: Iterable[str], generator: np.random.Generator) -> list[str]:
    """*count* of the *actions* in random order, each as often as any other, give or take one."""
    choices = tuple(actions)
    numbers = generator.permutation(count) + int(generator.integers(len(choices)))
    return [choices[number] for number in numbers % len(choices)]


def _group(keys: Sequence[Hashable]) -> list[Numbers]:
    """For each item, the numbers of all items with its key."""
    members: dict[Hashable, list[int]] = {}
    for number, key in enumerate(keys):
        members.setdefault(key, []).append(number)
    arrays = {key: np.array(numbers) for key, numbers in members.items()}
    return [arrays[key] for key in keys]


NEGATIVES: dict[str, type[PaperNegatives]] = {
    "paper": PaperNegatives,
    "published": PublishedNegatives,
    "hard": HardNegatives,
    "people": PeopleNegatives,
    "swapped": SwappedNegatives,
}
# Those that a judge is measured by, and people's where there are such. The published ones are the
# paper's, and pairs labelled wrong.
MEASURED = ("paper", "hard")
