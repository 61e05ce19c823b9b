"""How pairs are drawn and chosen. Nothing here needs numpy, torch or fairseq: a wrong option is
told of at once.
"""

import math
from dataclasses import dataclass, fields
from numbers import Integral, Real

from vqapg.errors import InputError

LONGEST = 50  # words of a text, after which it is cut
DIVERSITY = 0.5  # the default of --diversity, see vqapg.sampling.choose

# The types of options, what counts as one, and what that is called.
KINDS = {int: (Integral, "a whole number"), float: (Real, "a number"), str: (str, "text")}


def check_type(name: str, value: object, kind: type) -> None:
    """Raises InputError if *value* of the option *name* is no *kind*: int, float or str.

    The command line has seen to it; Python has not.
    """
    accepted, what = KINDS[kind]
    if not isinstance(value, accepted):
        raise InputError(f"--{name.replace('_', '-')} must be {what}, not {value!r}")


@dataclass(frozen=True)
class SamplingOptions:
    """How pairs are drawn and chosen. The names are those of the flags of ``vqapg sample``.

    Attributes:
        num_samples: draws of an image; ``sample`` calls it ``n``
        seed: of all draws
        beam: of each draw
        sampling: draw the words too, instead of beam search
        sampling_topk: of the K likeliest words; -1: of all
        sampling_topp: of the fewest words that have this probability; -1: of all
        temperature: of words
        latent_temperature: scales the standard deviation of the latent variable; 0: its mean
        refine: how many times a pair is decoded again from the posterior of itself
        rescore: of so many draws of a pair, keep the one whose answer the model finds likeliest
        question: complete this question
        answer: complete this answer
        min_consistency: no pair with a lower consistency
        keep: of an image at most so many pairs, consistent and diverse, a question once
        diversity: what ``keep`` goes by; 0: consistency alone, even two answers to a
            question; 1: unlikeness alone
    """

    num_samples: int = 10
    seed: int = 1
    beam: int = 10
    sampling: bool = False
    sampling_topk: int = -1
    sampling_topp: float = -1.0
    temperature: float = 1.0
    latent_temperature: float = 1.0
    refine: int = 0
    rescore: int = 1
    question: str | None = None
    answer: str | None = None
    min_consistency: float | None = None
    keep: int | None = None
    diversity: float = DIVERSITY

    def __post_init__(self):
        self._check_types()
        for name, least in (
            ("num_samples", 1),
            ("seed", 0),
            ("keep", 1),
            ("refine", 0),
            ("rescore", 1),
        ):
            value = getattr(self, name)
            if value is not None and value < least:
                raise InputError(
                    f"--{name.replace('_', '-')} must be at least {least}, not {value}"
                )
        for name in ("min_consistency", "diversity"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise InputError(f"--{name.replace('_', '-')} must be between 0 and 1, not {value}")
        if not 0 <= self.latent_temperature < math.inf:
            raise InputError(
                f"--latent-temperature must be at least 0, not {self.latent_temperature}"
            )
        if self.question is not None and self.answer is not None:
            raise InputError(
                "--question and --answer: with both the pair is whole; give one of them"
            )

    def _check_types(self):
        for option in fields(self):
            value = getattr(self, option.name)
            if value is None and option.default is None:
                continue
            for kind in KINDS:
                if option.type in (kind, kind | None):
                    check_type(option.name, value, kind)

    @property
    def given(self):
        """Which text is given, "question" or "answer", or None."""
        return (
            "question"
            if self.question is not None
            else "answer"
            if self.answer is not None
            else None
        )

    @property
    def choosing(self):
        """The flags given that leave out pairs by their consistency, which a judge tells."""
        return [
            f"--{name.replace('_', '-')}"
            for name in ("min_consistency", "keep")
            if getattr(self, name) is not None
        ]

    def check_judge(self, judge: object) -> None:
        """Raises InputError when pairs are to be chosen and *judge* is None."""
        if self.choosing and judge is None:
            raise InputError(
                f"{self.choosing[0]} goes by the consistency of pairs: give --evaluator, or --judge"
            )
