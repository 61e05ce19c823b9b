"""Several judges as one: the mean of their scores, after each was calibrated.

The scores of two judges do not mean the same: 0.3 may be sure of one and unsure of another. So each
judge is first calibrated on held-out pairs of the valid split, which count as right, and on wrong
ones: with wrong answers that people wrote, where the data has such, or else hard negatives.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqapg.data.directory import DataDirectory, Pair
from vqapg.data.feature_store import FeatureStore
from vqapg.data.negatives import HardNegatives, PaperNegatives, PeopleNegatives, known_answers
from vqapg.errors import InputError
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Judge, Triple, make_judge, score_triples
from vqapg.judges.platt import Calibration, fit

# Where so many pairs have a wrong answer that people wrote. Two figures cannot be fitted to fewer
# wrong pairs with any certainty.
FEWEST_BY_PEOPLE = 100
PAIRS = 500  # and as many negatives: a vision-language model takes seconds for a batch
SEED = 1
DATA = "data="


class MeanJudge:
    """The mean of the calibrated scores of those judges that can tell of a triple.

    Args:
        judges: at least one
        calibrations: one for each judge

    Raises:
        ValueError: if there is not one calibration a judge
    """

    def __init__(self, judges: Sequence[Judge], calibrations: Sequence[Calibration]) -> None:
        if not judges or len(judges) != len(calibrations):
            raise ValueError(f"{len(judges)} judges and {len(calibrations)} calibrations")
        self.judges, self.calibrations = list(judges), list(calibrations)
        self.identity: dict[str, Any] = {
            "judge": "mean",
            "judges": [
                {"name": judge.name, **judge.identity, "calibration": calibration._asdict()}
                for judge, calibration in zip(judges, calibrations, strict=True)
            ],
        }
        names = [[judge.name, *c] for judge, c in zip(judges, calibrations, strict=True)]
        self.name = f"mean:{hashlib.sha256(json.dumps(names).encode()).hexdigest()[:12]}"

    def each(self, triples: Sequence[Triple]) -> NDArray[np.float64]:
        """The calibrated score of each judge, NaN where it cannot tell: ``[J, M]``.

        Raises:
            InputError: as the judges, or if one breaks its contract
        """
        return np.stack(
            [
                calibration(score_triples(judge, triples))
                for judge, calibration in zip(self.judges, self.calibrations, strict=True)
            ]
        )

    def score(self, triples: Sequence[Triple]) -> NDArray[np.float64]:
        """As :meth:`~vqapg.judges.judge.Judge.score`."""
        return mean_of_told(self.each(triples))


def mean_of_told(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over the judges that can tell, NaN where none can: ``[J, M] -> [M]``."""
    told = ~np.isnan(scores)
    count = told.sum(axis=0)
    total = np.where(told, scores, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def mean_judge(argument: str, context: JudgeContext) -> MeanJudge:
    """The judge of ``mean:SPEC,SPEC`` or ``mean:SPEC,SPEC,data=DATA``.

    Args:
        argument: specs of judges, and where pairs are made for pictures the data directory that
            they are calibrated on
        context: the images

    Raises:
        InputError: if no judge is named, or there is no data directory to calibrate on
    """
    parts = [part for part in argument.split(",") if part]
    specs = [part for part in parts if not part.startswith(DATA)]
    paths = [part.removeprefix(DATA) for part in parts if part.startswith(DATA)]
    if not specs or len(paths) > 1:
        raise InputError(
            "--judge mean: names the judges to average, and one data directory at most; give "
            "mean:SPEC,SPEC or mean:SPEC,SPEC,data=DATA"
        )
    if not paths and context.data is None:
        raise InputError(
            "--judge mean: here are only pictures, and judges are calibrated on a data directory; "
            "add it: mean:SPEC,SPEC,data=DATA"
        )
    data = DataDirectory(paths[0]) if paths else context.directory("mean")
    # A judge of these images may know nothing of the valid split's.
    held_out = JudgeContext(data)
    judges, calibrations = [], []
    for spec in specs:
        judge = make_judge(spec, held_out)
        calibrations.append(calibrate(judge, data))
        judges.append(judge if context.data is data else make_judge(spec, context))
    return MeanJudge(judges, calibrations)


def calibrate(judge: Judge, data: DataDirectory) -> Calibration:
    """The judge's calibration, on pairs of the valid split of *data* and wrong ones.

    Raises:
        InputError: if the judge can tell of no pair, or of no wrong one
    """
    features = data.features_path
    skipped = FeatureStore(features).skipped if features.exists() else frozenset()
    pairs = [pair for pair in data.pairs("valid") if pair.image not in skipped]
    kind, batch, negatives = _negatives(pairs, data)
    generator = np.random.default_rng(SEED)
    places, wrong = negatives.draw(batch, generator)
    drawn = generator.permutation(len(places))[:PAIRS]
    triples: list[tuple[str, str, str]] = [tuple(pairs[n]) for n in batch[places[drawn]]]
    triples += [negatives.texts(triple) for triple in wrong[drawn]]
    right = np.repeat([True, False], len(drawn))
    return fit(score_triples(judge, triples), right)._replace(negatives=kind)


def _negatives(
    pairs: Sequence[Pair], data: DataDirectory
) -> tuple[str, NDArray[np.int64], PaperNegatives]:
    """The kind of negatives, the numbers of the pairs that get one, and what draws them.

    Wrong answers that people wrote are sure to be wrong. Of hard negatives some are right.
    """
    # A generated answer has no unknown word, which would give a wrong one away.
    wrong_answers = known_answers(data.wrong_answers("valid"), data.words)
    asked = np.flatnonzero([bool(wrong_answers.get(pair)) for pair in pairs])
    if len(asked) >= FEWEST_BY_PEOPLE:
        return "people", asked, PeopleNegatives(pairs, wrong_answers)
    return "hard", np.arange(len(pairs)), HardNegatives(pairs)
