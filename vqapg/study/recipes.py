"""The shell scripts of a study's jobs: stock commands, with every value, run in the study's folder.

The Snakefile has the rules; here is what each of them runs.
"""

import hashlib
import shlex
from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vqapg.study.commands import flag, script
from vqapg.study.plan import GOLD, NONE, ONE_SEED, Plan
from vqapg.study.settings import GLOVE, compose, generate_command, options, train_command
from vqapg.study.study_file import Study
from vqapg.study.trainings import DATA, PARTS, trainings

EVALUATOR = "evaluator"


class Recipes:
    """What the jobs of *study* run.

    Args:
        study: what is reproduced, and how
        plan: its runs and results
        seeds: those of this start
        gpus: those of the machine; 0: none
    """

    GLOVE = GLOVE

    def __init__(self, study: Study, plan: Plan, seeds: Sequence[int], gpus: int) -> None:
        self.study = study
        self.plan = plan
        self.seeds = seeds
        self.gpus = gpus
        self._composed: dict[tuple[str, ...], DictConfig] = {}
        self.training_gpus = gpus if plan.gpus.get(study.preset) == "all" else min(1, gpus)
        base = self._settings("joint")
        self.needs_glove, self.table_8 = bool(base.vqapg.glove), base.vqapg.table_8
        self.trainings = trainings(plan, seeds, self.table_8)
        self.parts = [folder for folder, training in self.trainings.items() if training.part]
        self.whole_trainings = [folder for folder in self.trainings if folder not in self.parts]
        self.joined = sorted({folder.rpartition("/")[0] for folder in self.parts})
        folders = [(folder, run) for run in plan.runs.values() for folder in run.folders(seeds)]
        self.evaluators = [folder for folder, run in folders if run.seeds == NONE]
        self.downstream = [folder for folder, run in folders if run.is_downstream]
        self.evaluated = [
            folder for folder, _ in folders if folder not in (*self.evaluators, *self.downstream)
        ]
        self.generating = [*self.evaluated, *self.downstream]

    def _settings(self, model: str, changes: Sequence[str] = ()) -> DictConfig:
        """The preset's settings for *model* with the user's changes, which come last."""
        # Hydra takes a quarter of a second, and jobs share settings.
        study, key = self.study, (model, *changes)
        if key not in self._composed:
            overrides = (*changes, *study.changes)
            self._composed[key] = compose(model, study.preset, study.settings_of, overrides)
        return self._composed[key]

    def digest(self) -> str:
        """Of all settings of all runs: what may not change within a study."""
        runs = self.plan.runs.values()
        composed = {run.model: OmegaConf.to_yaml(self._settings(run.model)) for run in runs}
        return hashlib.sha256(repr((composed, list(runs))).encode()).hexdigest()

    def caption_settings(self) -> dict[str, Any]:
        """What captions say of the generation models, and of the evaluator."""
        settings, evaluator = (
            self._caption(self._settings(model)) for model in ("joint_variational", "consistency")
        )
        return settings | {"evaluator": evaluator | {"seed": ONE_SEED}}

    def _caption(self, settings: DictConfig) -> dict[str, Any]:
        return {
            "max_epoch": settings.optimization.max_epoch,
            "batch_size": settings.task.global_batch_size or settings.dataset.batch_size,
            "hidden_size": settings.model.hidden_size,
            "lr": OmegaConf.to_object(settings.optimization.lr),
            "weights": settings.vqapg.training.weights,
        }

    def inputs_of_training(self, folder: str) -> list[str]:
        """The files that the training in *folder* begins from."""
        glove = [self.GLOVE] if self.needs_glove else []
        return [f"{DATA}/features.h5", *self.started_from(folder), *glove]

    def started_from(self, folder: str) -> list[str]:
        """Those of them that tell whether its checkpoints may go on; small ones."""
        training = self.trainings[folder]
        weights = [training.start_from] if training.start_from else []
        return [f"{training.data}/manifest.json", *weights]

    # What the jobs run

    def prepare(self) -> str:
        """Data directory; the preset's options choose the images."""
        chosen = self._settings("joint").vqapg.data.get("prepare", {})
        command = ["vqapg", "prepare", "--dataset", self.study.dataset]
        command += [*flag("--source", self.study.source), *options(chosen), "--dest", DATA]
        return script(command)

    def extract_features(self) -> str:
        """Features of all images."""
        features = self._settings("joint").vqapg.features
        weights = self.study.backbone_weights
        return script(
            [*("vqapg", "extract-features", DATA), *options(features), *flag("--weights", weights)]
        )

    def glove(self) -> str:
        """The dictionary's words out of the GloVe file."""
        command = ["vqapg", "glove", DATA, "--vectors", self.study.vectors or "glove.6B.zip"]
        command += ["--dim", str(self._settings("joint").vqapg.glove), "--output", self.GLOVE]
        return script(command)

    def train(self, folder: str) -> str:
        """fairseq-train, which continues by itself, and the weights that are used."""
        training = self.trainings[folder]
        settings = self._settings(training.run.model, (*training.run.changes, *training.changes))
        command = train_command(
            settings,
            training.data,
            folder,
            seed=training.seed,
            gpus=self.training_gpus,
            embed_path=self.GLOVE if self.needs_glove else None,
            start_from=training.start_from,
        )
        if training.part:
            return script(command, ["touch", f"{folder}/finished"])
        return script(command, self._checkpoint(training.run.model, folder, [folder]))

    def join(self, folder: str) -> str:
        """One checkpoint of the two parts of a pipeline."""
        model = self.trainings[f"{folder}/x"].run.model
        return script(self._checkpoint(model, folder, [f"{folder}/{part}" for part in PARTS]))

    def _checkpoint(self, model: str, folder: str, save_dirs: list[str]) -> list[str]:
        weights = self._settings(model).vqapg.training.weights
        return [
            *("vqapg", "checkpoint", *save_dirs, "--weights", weights),
            *("--output", f"{folder}/final.pt", "--overwrite"),
        ]

    def generate(self, folder: str, part: str) -> str:
        """A pair for each pair of the test split; or of the train split, pass K of ``train-K``.

        The file takes its name when it is whole.
        """
        model, seed = self._model_of(folder)
        subset, _, number = part.partition("-")
        settings = self._settings(model)
        command = generate_command(
            settings,
            DATA,
            f"{folder}/final.pt",
            subset,
            # Each pass has draws of its own.
            seed=seed + int(number or 1) - 1,
            gpus=self.gpus,
            pretraining=subset == "train",
        )
        output = f"{folder}/generate-{part}.txt"
        return (
            f"{shlex.join(command)} > {shlex.quote(output + '.partial')}\n"
            f"{shlex.join(['mv', output + '.partial', output])}"
        )

    def evaluate(self, folder: str) -> str:
        """Diversity, consistency and overlap of what was generated."""
        return script(
            [
                "vqapg",
                "evaluate",
                DATA,
                "--pairs",
                f"{folder}/generate-test.txt",
                *("--evaluator", f"{EVALUATOR}/final.pt"),
                *("--output", f"{folder}/metrics.json", "--overwrite"),
            ]
        )

    def check_evaluator(self, folder: str) -> str:
        """Table 3."""
        return script(
            [
                "vqapg",
                "check-evaluator",
                DATA,
                "--evaluator",
                f"{folder}/final.pt",
                *("--output", f"{folder}/evaluator.json", "--overwrite"),
            ]
        )

    def choose_images(self) -> str:
        """The first three images of the test split."""
        return "awk '!seen[$0]++ && ++n <= 3' data/test.image > images.txt.partial\n" + script(
            ["mv", "images.txt.partial", "images.txt"]
        )

    def attention(self, folder: str) -> str:
        """Table 7 and Figures 6 to 8, of the images in images.txt."""
        command = ["vqapg", "attention", DATA, "--checkpoint", f"{folder}/final.pt"]
        command += ["--evaluator", f"{EVALUATOR}/final.pt"]
        # Figure 8 shows a rejected pair: of four, a model that is right on 90% often has none.
        command += ["--num-samples", "32"]
        command += ["--output", f"{folder}/attention.json", "--overwrite"]
        return f'mapfile -t images < images.txt\n{shlex.join(command)} "${{images[@]}}"'

    def annotated(self) -> list[str]:
        """The generated pairs that people judge."""
        return [f"{folder}/generate-test.txt" for folder in self._annotated().values()]

    def annotation(self) -> str:
        """Table 6: draws what people judge; a session that is there stays.

        Data with too few pairs an image, status 2, have no session, and all else goes on.
        """
        pairs = [
            word
            for name, folder in self._annotated().items()
            for word in ("--pairs", f"{name}={folder}/generate-test.txt")
        ]
        start = shlex.join(["vqapg", "annotate", "start", "annotation", "--data", DATA, *pairs])
        return f"[ -e annotation ] || {start} || [ $? = 2 ]\ntouch annotation.started"

    def _annotated(self) -> dict[str, str]:
        runs = [self.plan.runs[name] for name in self.plan.annotation]
        return {run.name: next(iter(run.folders(self.seeds))) for run in runs}

    def pretraining_pairs(self, name: str) -> list[str]:
        """The generated pairs of the run *name* that others are pre-trained on."""
        if name == GOLD:
            return [f"{DATA}/features.h5"]
        folder = next(iter(self.plan.runs[name].folders(self.seeds)))
        return [f"{folder}/generate-train-{n + 1}.txt" for n in range(self.table_8.passes)]

    def pretraining_data(self, name: str) -> str:
        """Table 8: five pairs for each training pair, generated or gold."""
        pairs = (
            ["--gold", str(self.table_8.pairs)] if name == GOLD else self.pretraining_pairs(name)
        )
        return script(
            [
                "vqapg",
                "pretraining-data",
                *pairs,
                "--data",
                DATA,
                *("--dest", f"downstream/data/{name}", "--overwrite"),
            ]
        )

    def overlap(self, folder: str) -> str:
        """Table 8: what was generated beside the gold text."""
        model, _ = self._model_of(folder)
        return script(
            [
                "vqapg",
                "overlap",
                DATA,
                "--pairs",
                f"{folder}/generate-test.txt",
                *("--of", {"vqg": "question", "vqa": "answer"}[model]),
                *("--output", f"{folder}/metrics.json", "--overwrite"),
            ]
        )

    def count_parameters(self) -> str:
        """Table 10."""
        return script(
            ["vqapg", "report", "--table-10", "--output", "parameters.json", "--overwrite"]
        )

    def report(self) -> str:
        """All tables and figures whose files are there."""
        # By its whole path, for the commands that the report gives
        return 'vqapg report "$PWD" --output report --overwrite'

    def _model_of(self, folder: str) -> tuple[str, int]:
        for run in self.plan.runs.values():
            if folder in (folders := run.folders(self.seeds)):
                return run.model, folders[folder]
        raise KeyError(folder)
