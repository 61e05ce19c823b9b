"""study.json: which data set, preset, seeds and device a study is of. `vqapg reproduce` writes it
before anything else.
"""

import math
import shlex
from pathlib import Path
from typing import Any, NamedTuple

from vqapg.errors import InputError
from vqapg.reports.stored import field, read_json

NAME = "study.json"
CURE = "start bash scripts/reproduce.sh again, or remove the file"
# What a reader must know of a preset that he has not read: configs/preset/NAME.yaml.
PRESETS = {
    "paper": "the paper's text to the letter",
    "published": "what the published code does",
    "small": "two CPU cores, minutes",
    "recommended": "small, with the objective that we found best",
}
# Where no --seeds are given.
USUAL_SEEDS = (1, 2, 3)


class StudyFile(NamedTuple):
    """What study.json holds.

    Attributes:
        dataset: the name of a data set, or the path of a data directory
        preset: the file in configs/preset that the settings are from
        seeds: of the models that are to be trained
        device: for people, such as "2 x NVIDIA H100"
        settings: of the composed settings those that captions show
        what: what bash scripts/reproduce.sh was given to reproduce
        changes: ``KEY=VALUE``, of the preset's settings
    """

    dataset: str
    preset: str
    seeds: tuple[int, ...]
    device: str
    settings: dict[str, Any]
    what: str
    changes: tuple[str, ...] = ()

    def preset_text(self, *, settings: bool) -> str:
        """The preset, what it is, and with *settings* what the generation models came to by it."""
        text = self.preset
        if self.preset in PRESETS:
            text += f" ({PRESETS[self.preset]})"
        if self.changes:
            text += f" with {' '.join(self.changes)}"
        if settings and self._settings():
            text += f": {', '.join(self._settings())}"
        return text

    def _settings(self) -> list[str]:
        forms = {
            "max_epoch": "at most {} epochs",
            "batch_size": "{} pairs an update",
            "hidden_size": "{} wide",
            "lr": "learning rate {}",
        }
        return [
            form.format(_number(self.settings[key]))
            for key, form in forms.items()
            if key in self.settings
        ]

    def command(self, folder: Path, what: str) -> str:
        """What makes the table or figure *what*, such as "table4", in the study's *folder*."""
        words = ["bash", "scripts/reproduce.sh", self.what, *self.changes]
        words += ["--preset", self.preset, "--only", what]
        if self.seeds != USUAL_SEEDS:
            words += ["--seeds", " ".join(map(str, self.seeds))]
        usual = Path("runs", f"{Path(self.dataset).name}-{self.preset}")
        if folder.resolve() != usual.resolve():
            words += ["--dest", str(folder)]
        return shlex.join(words)


def read_study_file(folder: Path) -> StudyFile | None:
    """study.json of a study's *folder*; None where there is none.

    Raises:
        InputError: if it is not what ``vqapg reproduce`` writes
    """
    path = folder / NAME
    if not path.exists():
        return None
    stored = read_json(path, CURE)
    dataset, preset, device = (
        field(path, stored, key, str, CURE) for key in ("dataset", "preset", "device")
    )
    seeds = field(path, stored, "seeds", list, CURE)
    if not seeds or not all(type(seed) is int and seed >= 0 for seed in seeds):
        raise InputError(f"{path}: its seeds are no list of whole numbers; {CURE}")
    settings = field(path, stored, "settings", dict, CURE)
    for key in ("max_epoch", "batch_size", "hidden_size", "lr"):
        value = settings.get(key, 0)
        if not all(map(_is_number, value if isinstance(value, list) and value else [value])):
            raise InputError(f"{path}: its setting {key} is no number; {CURE}")
    options = stored.get("options", {})
    if not _are_options(options):
        raise InputError(f"{path}: its options are no object with data and changes; {CURE}")
    what, changes = options.get("data") or dataset, tuple(options.get("changes", ()))
    return StudyFile(dataset, preset, tuple(seeds), device, settings, what, changes)


def _are_options(options: object) -> bool:
    if not isinstance(options, dict):
        return False
    data, changes = options.get("data"), options.get("changes", [])
    texts = [*([] if data is None else [data]), *(changes if isinstance(changes, list) else [None])]
    return all(isinstance(text, str) and text.isprintable() for text in texts)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and type(value) is not bool and math.isfinite(value)


def _number(value: int | float | list[int | float]) -> str:
    """A number as people write it; of a list, which has one an epoch, each once, in order."""
    values = dict.fromkeys(value) if isinstance(value, list) else [value]
    return ", then ".join(f"{one:,}" if type(one) is int else f"{one:g}" for one in values)
