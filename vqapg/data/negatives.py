"""Negative samples for the consistency evaluator (section 4.6).

A triple is written as three pair numbers: whose image, whose question, whose answer. Pair i itself is (i, i, i).
"""

import numpy as np

ACTIONS = ("images", "questions", "answers", "all")
# Words that tell a question's type, as "what color", "is there", "how many".
TYPE_WORDS = 2


class PaperNegatives:
    """One of the paper's four actions, drawn at random, for a whole mini-batch: shuffle images, questions, answers,
    or all three, each on its own."""

    def __init__(self, pairs):
        pass

    def draw(self, batch, generator):
        """Triples ``[B, 3]`` made of the pairs ``[B]`` of a batch; ``generator`` is a ``numpy.random.Generator``."""
        return shuffle(np.stack([batch] * 3, axis=1), ACTIONS[generator.integers(len(ACTIONS))], generator)


def shuffle(triples, action, generator):
    """One action of section 4.6 on triples ``[B, 3]``."""
    columns = range(3) if action == "all" else [ACTIONS.index(action)]
    shuffled = triples.copy()
    for column in columns:
        shuffled[:, column] = generator.permutation(triples[:, column])
    return shuffled


class HardNegatives:
    """Beyond the paper: an action a pair instead of one a batch, and two more that keep the pair plausible.

    The paper's negatives often give themselves away without the image ("what color ... ? yes"). Two more actions
    do not: the answer of another question of the same type, and the answer of another question of the same image.
    """

    def __init__(self, pairs):
        self.same_type = _group([tuple(pair.question.split()[:TYPE_WORDS]) for pair in pairs])
        self.same_image = _group([pair.image for pair in pairs])

    def draw(self, batch, generator):
        """As :meth:`PaperNegatives.draw`."""
        triples = np.stack([batch] * 3, axis=1)
        for row, pair in enumerate(batch):
            action = generator.integers(len(ACTIONS) + 2)
            if action < 3:
                triples[row, action] = generator.choice(batch)
            elif action == 3:
                triples[row] = generator.choice(batch, size=3)
            else:
                group = (self.same_type, self.same_image)[action - 4][pair]
                triples[row, 2] = generator.choice(group)
        return triples


def _group(keys):
    """For each item, the numbers of all items with its key."""
    members = {}
    for number, key in enumerate(keys):
        members.setdefault(key, []).append(number)
    arrays = {key: np.array(numbers) for key, numbers in members.items()}
    return [arrays[key] for key in keys]


NEGATIVES = {"paper": PaperNegatives, "hard": HardNegatives}
