"""What sampling gives: pairs, and the pairs of one image."""

from dataclasses import dataclass, field
from typing import Any

from vqapg.sampling.region_weights import RegionWeights


@dataclass(frozen=True)
class SampledPair:
    """A question-answer pair of an image.

    Examples:
        >>> pair = model.sample("photo.jpg")[0]
        >>> pair.question, pair.answer, pair.consistency
        ('what color is the bus?', 'red', 0.93)

    Two pairs are equal if all fields but the region weights are.

    Attributes:
        question: text as people write it
        answer: text as people write it
        score: the model's mean log-probability of a token, in nats
        consistency: the judge's score in [0, 1]; None without a judge, and where it cannot tell
        seed: the seed of all draws
        draw: which draw of that seed gave its latent variable, and with sampling its words
        region_weights: ``RegionWeights`` by the text they are of: "pair", or "question" and
            "answer" where each has its own; empty in a model without region scaling
    """

    question: str
    answer: str
    score: float
    consistency: float | None
    seed: int
    draw: int
    region_weights: dict[str, RegionWeights] = field(
        default_factory=dict, repr=False, compare=False
    )

    def to_dict(self) -> dict[str, Any]:
        """All but the region weights, as JSON and tables hold it.

        Examples:
            >>> import pandas
            >>> pandas.DataFrame([pair.to_dict() for pair in model.sample("photo.jpg")])

        Returns:
            ``question``, ``answer``, ``score``, ``consistency``, ``seed`` and ``draw``
        """
        return {
            "question": self.question,
            "answer": self.answer,
            "score": self.score,
            "consistency": self.consistency,
            "seed": self.seed,
            "draw": self.draw,
        }


class Sampled(list[SampledPair]):
    """The pairs of one image, a list.

    Attributes:
        malformed: how many draws were no pair
        left_out: how many pairs were left out by choice, as ``keep`` does
        below_minimum: how many of them ``min_consistency`` left out
        cut: how many pairs have a text that was cut at the most words that are generated
    """

    malformed = 0
    left_out = 0
    below_minimum = 0
    cut = 0
