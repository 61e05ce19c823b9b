"""Judges that score by the texts alone, for tests of what is done with scores."""

import sys
import time
import types

import numpy as np
import pytest

from vqapg.errors import InputError
from vqapg.files import sha256


def fake_evaluator(monkeypatch: pytest.MonkeyPatch, score) -> None:
    """Puts *score(triples)* in the place of every trained evaluator; no checkpoint is read."""

    class Fake:
        def __init__(self, argument, context):
            self.name = f"evaluator:{argument}"
            self.identity = {"judge": "evaluator", "path": argument, "sha256": sha256(argument)}
            self.context = context

        def score(self, triples):
            return score(triples)

    module = types.ModuleType("vqapg.judges.evaluator")
    module.EvaluatorJudge = Fake
    monkeypatch.setitem(sys.modules, "vqapg.judges.evaluator", module)


class YesMan:
    """Believes "yes" (0.9) and doubts the rest (0.2). It cannot tell of the answer it is given."""

    def __init__(self, argument, context):
        if argument == "refuse":
            raise InputError("the yes man does not want to; give another judge")
        self.name, self.identity = f"yes man:{argument}", {"judge": "yes man", "untold": argument}
        self.untold = argument

    def score(self, triples):
        score_of = {"yes": 0.9, self.untold: np.nan}
        return np.array([score_of.get(triple.answer, 0.2) for triple in triples])


class Brightness:
    """Looks at the picture: the mean of its red channel, within 0 and 1; for any question."""

    def __init__(self, argument, context):
        self.name, self.identity = "brightness", {"judge": "brightness"}
        self.context = context

    def score(self, triples):
        means = {
            image: np.asarray(self.context.picture(image))[..., 0].mean() / 255
            for image in {triple.image for triple in triples}
        }
        return np.array([means[triple.image] for triple in triples])


class Noted:
    """Notes each image that it is asked about in the file *argument*, a line an image and call."""

    seconds = 0.0

    def __init__(self, argument, context):
        self.name, self.identity, self.path = "noted", {"judge": "noted"}, argument

    def score(self, triples):
        time.sleep(self.seconds)
        with open(self.path, "a", encoding="utf-8") as file:
            for image in dict.fromkeys(triple.image for triple in triples):
                file.write(f"{image}\n")
        return np.full(len(triples), 0.5)


class SlowlyNoted(Noted):
    """Leaves time to kill something."""

    seconds = 0.4
