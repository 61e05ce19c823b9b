"""Every kind of file that is mutated, by its name."""

import random
from collections.abc import Callable
from pathlib import Path

from fuzzing import model_targets, text_targets
from fuzzing.case import Case
from fuzzing.traps import Traps

TARGETS: dict[str, Callable[[Path, Path, random.Random, Traps], Case]] = {
    "checkpoints": model_targets.checkpoints,
    "features": model_targets.features,
    "images": model_targets.images,
    "tar": model_targets.tar,
    "jsonl": text_targets.jsonl,
    "vqa2": text_targets.vqa2,
    "visual7w": text_targets.visual7w,
    "generated": text_targets.generated,
    "directory": text_targets.directory,
    "annotations": text_targets.annotations,
}
