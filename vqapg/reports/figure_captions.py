"""What stands under Figures 5 to 8: what each shows, what it lacks and why, and its conditions."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from vqapg.reports import generation_order
from vqapg.reports.attention_maps import AttentionRecord, without_drawn_pairs
from vqapg.reports.conditions import Conditions, StudyConditions
from vqapg.reports.paper import MODELS, VARIATIONAL
from vqapg.reports.study import Study
from vqapg.reports.study_judge import NO_PART

TITLES = {
    "Figure 5": "diversity and consistency by order of generation, with intervals as in Table 4",
    "Figure 6": "weights of the regions of an image, for the first pair of each variational model",
    "Figure 7": "mean attention of the joint model, for the pair of each image that the evaluator "
    "scores highest",
    "Figure 8": "mean attention of the joint model, for the pair of each image that it scores "
    "lowest, and rejects",
}
JOINT = "joint_variational"


class Caption(NamedTuple):
    """A caption.

    Attributes:
        title: what the figure shows
        lacking: what of it is missing and why, sentences
        conditions: under which it was made
    """

    title: str
    lacking: tuple[str, ...]
    conditions: Conditions

    def without(self, sentence: str) -> "Caption":
        """This caption, with one more *sentence* of what is missing."""
        return self._replace(lacking=(*self.lacking, sentence))

    def text(self) -> str:
        """In one paragraph."""
        return " ".join([f"{self.title}.", *self.lacking, self.conditions.text()])

    def markdown(self) -> str:
        """What stands under the title."""
        lacking = " ".join(self.lacking)
        return "\n\n".join([*([lacking] if lacking else []), self.conditions.markdown()])


def captions(
    study: Study, records: Mapping[str, AttentionRecord], conditions: StudyConditions
) -> dict[str, Caption]:
    """{"Figure N": its caption} of those figures that there may be."""
    found: dict[str, Conditions] = {}
    lacking: dict[str, Iterator[str]] = {
        "Figure 5": generation_order.lacking(study),
        "Figure 6": _without_weights(records),
        "Figure 7": without_drawn_pairs({k: r for k, r in records.items() if k == JOINT}),
        "Figure 8": _without_rejected(records),
    }
    if models := generation_order.runs_shown(study):
        found["Figure 5"] = conditions.of_models(study, models)
    if records:
        weights = conditions.of_records(records.values())
        found["Figure 6"] = weights._replace(evaluator=NO_PART)
    if JOINT in records:
        found["Figure 7"] = found["Figure 8"] = conditions.of_records([records[JOINT]])
    return {name: Caption(TITLES[name], tuple(lacking[name]), its) for name, its in found.items()}


def _without_weights(records: Mapping[str, AttentionRecord]) -> Iterator[str]:
    for model in VARIATIONAL:
        if model not in records:
            yield f"{MODELS[model]} is missing: vqapg attention did not run for it."
    for model, record in records.items():
        pairs = [pair for _, of_image in record.images.values() for pair in of_image]
        if pairs and not any(pair.weights for pair in pairs):
            yield f"{MODELS[model]} is missing: it does not scale regions."
    yield from without_drawn_pairs(records)


def _without_rejected(records: Mapping[str, AttentionRecord]) -> Iterator[str]:
    if (record := records.get(JOINT)) is None:
        return
    none = [image for image in record.images if record.best_and_worst(image)[1] is None]
    if none:
        yield f"No pair is shown of {', '.join(none)}: the evaluator rejects none."
