"""A judge that believes one answer only."""

import numpy as np


class OneAnswer:
    def __init__(self, argument, context):
        self.answer = argument or "yes"
        self.name = f"one-answer:{self.answer}"
        self.identity = {"judge": "one-answer", "answer": self.answer}

    def score(self, triples):
        return np.array([float(triple.answer == self.answer) for triple in triples])
