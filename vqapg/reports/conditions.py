"""Under which conditions a study's figures were made. Every caption says them, so that no figure of
ours stands beside the paper's without them.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vqapg.errors import InputError
from vqapg.evaluation.judge_verdict import Verdict, verdict_in
from vqapg.reports.attention_maps import AttentionRecord
from vqapg.reports.measures import P
from vqapg.reports.stored import seed_folders
from vqapg.reports.study_judge import NO_PART, evaluator_text, identity_of
from vqapg.reports.study_record import StudyFile, read_study_file
from vqapg.reports.trained import NAME, UNKNOWN, Trained, read_trained, updates_text

# Our splits and the names of the paper's tables.
SPLITS = {"train": "train", "valid": "dev", "test": "test"}
UNTRAINED = "none, nothing is trained"


class Conditions(NamedTuple):
    """What a caption says of the figures of ours. What nobody knows is "unknown", not left out."""

    preset: str
    seeds: str
    device: str
    updates: str
    data: str
    evaluator: str

    def text(self) -> str:
        """A sentence each, for a caption."""
        return " ".join(f"{label.capitalize()}: {text}." for label, text in self._asdict().items())

    def markdown(self) -> str:
        """A list with bold labels."""
        return "\n".join(
            f"- **{label.capitalize()}:** {text}" for label, text in self._asdict().items()
        )


class StudyConditions:
    """The conditions of the runs in a study's folder.

    Args:
        folder: of the study, see :mod:`vqapg.reports.report`
        manifest: of its data directory; None where there is none

    Attributes:
        file: what study.json holds; None where there is none
        dataset: the data set's name; None where nobody knows it

    Raises:
        InputError: if study.json is not what it should be
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any] | None) -> None:
        self.folder = folder
        self.file: StudyFile | None = read_study_file(folder)
        self.manifest = manifest
        self.dataset: str | None = manifest["dataset"] if manifest else None
        self._evaluators: dict[str, str] = {}

    def of_models(
        self, study: Mapping[str, Mapping[int, Mapping[str, Any]]], models: Iterable[str]
    ) -> Conditions:
        """Of the runs of *models* in *study*, as ``read_study`` gives it."""
        chosen = {model: study[model] for model in models if model in study}
        runs = [
            seed_folders(self.folder / model)[seed]
            for model, metrics in chosen.items()
            for seed in metrics
        ]
        stored = [metrics for of_seed in chosen.values() for metrics in of_seed.values()]
        # read_study lets no two judges pass.
        judge = identity_of(stored[0]) if stored else None
        if judge is None and any(P.key in metrics for metrics in stored):
            judge = UNKNOWN
        verdicts = [verdict for metrics in stored if (verdict := verdict_in(metrics))]
        # One that was made before the judge was checked says nothing.
        checked = [verdict for verdict in verdicts if verdict["rely"] is not None]
        verdict = next(iter(checked or verdicts), None)
        return self.of_runs(runs, self.evaluator(judge, verdict), settings=True)

    def of_runs(
        self,
        runs: Sequence[Path],
        evaluator: str = NO_PART,
        *,
        seeds: str | None = None,
        settings: bool = False,
    ) -> Conditions:
        """Of *runs*, folders ``seed-K``.

        Args:
            runs: those that the figures are from
            evaluator: what is said of it
            seeds: what is said of them; by default those in the folders' names
            settings: whether those of the generation models are said, which other models lack

        Raises:
            InputError: if a trained.json is not what it should be, or is of another preset
        """
        return Conditions(
            preset=self.file.preset_text(settings=settings) if self.file else UNKNOWN,
            seeds=self._seeds(runs) if seeds is None else seeds,
            device=self.file.device if self.file else UNKNOWN,
            updates=updates_text(map(self.trained, runs)),
            data=self._data(),
            evaluator=evaluator,
        )

    def evaluator(self, identity: Any, verdict: Verdict | None = None) -> str:
        """As :func:`~vqapg.reports.study_judge.evaluator_text`, which reads large files, once."""
        key = repr((identity, verdict))
        if key not in self._evaluators:
            self._evaluators[key] = evaluator_text(self.folder, identity, verdict)
        return self._evaluators[key]

    def of_records(self, records: Iterable[AttentionRecord]) -> Conditions:
        """Of the runs whose pairs the *records* hold."""
        every = list(records)
        judge = next((record.judge for record in every if record.judge is not None), None)
        runs = [record.run for record in every]
        return self.of_runs(runs, self.evaluator(judge), settings=True)

    def evaluator_seed(self) -> str:
        """The seed that study.json says the evaluators were trained with."""
        settings = self.file.settings.get("evaluator") if self.file else None
        seed = settings.get("seed") if isinstance(settings, dict) else None
        return str(seed) if type(seed) is int else UNKNOWN

    def of_data(self) -> Conditions:
        """Of counts over the data, for which nothing is trained."""
        return self.of_runs([], seeds="none")._replace(updates=UNTRAINED)

    def trained(self, run: Path) -> Trained | None:
        """How long the model in the folder *run* was trained.

        Raises:
            InputError: if it was trained with another preset than the study's
        """
        found = read_trained(run)
        if found and found.preset and self.file and found.preset != self.file.preset:
            raise InputError(
                f"{run / NAME}: was trained with preset {found.preset}, and the study with "
                f"{self.file.preset}, which no table may mix; remove {run}, or train it again"
            )
        return found

    def _seeds(self, runs: Sequence[Path]) -> str:
        there = sorted({int(run.name.removeprefix("seed-")) for run in runs})
        text = _listed(there) or UNKNOWN
        if self.file and set(self.file.seeds) - set(there):
            return f"{text} (of {_listed(self.file.seeds)})"
        return text

    def _data(self) -> str:
        if not self.manifest:
            return UNKNOWN
        counts = self.manifest.get("counts")
        if not counts:
            return f"{self._dataset_text()}, counts {UNKNOWN}"
        pairs = " / ".join(f"{counts[split]['pairs']:,}" for split in SPLITS)
        images = " / ".join(f"{counts[split]['images']:,}" for split in SPLITS)
        return f"{self._dataset_text()}, {pairs} pairs of {images} images in train / dev / test"

    def _dataset_text(self) -> str:
        """The data set's name; of one's own pairs the file's, as all of them are "jsonl"."""
        source = self.manifest.get("source") if self.manifest else None
        if self.dataset == "jsonl" and source:
            return f"{Path(source).name} (jsonl)"
        return str(self.dataset)


def of_counted_parameters() -> Conditions:
    """Of Table 10, whose models are built and not trained."""
    return Conditions(
        preset="none, each column has its own sizes",
        seeds="none",
        device="any",
        updates=UNTRAINED,
        data="none",
        evaluator=NO_PART,
    )


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
