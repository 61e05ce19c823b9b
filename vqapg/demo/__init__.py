"""The demo: a small model and its evaluator, which come with the package.

They are for a first try on photographs. docs/demo.md says what they were trained on, under which
licence, and what they cannot do. ``benchmarks/demo.sh`` trains them.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vqapg.did_you_mean import did_you_mean
from vqapg.errors import InputError
from vqapg.files import sha256

# What stands for the checkpoint of a model: ``load("demo")``
NAME = "demo"
MODEL, EVALUATOR = "model.pt", "evaluator.pt"
FOLDER = Path(__file__).parent
# How the demo draws and chooses, where nothing else is said: fields of SamplingOptions. Its words
# are drawn, because its latent variable says little. The figures of docs/demo.md are of these.
OPTIONS = {
    "num_samples": 40,
    "sampling": True,
    "temperature": 0.4,
    "min_consistency": 0.5,
    "keep": 3,
}
SHA256 = {
    MODEL: "fbae971d5a7dc80b352c6712298c67183c4839aa9c38eacca07d7dfc61b603bd",
    EVALUATOR: "d78094ef3f43953ebeefcee409a551c2fcc05d9f0baf487a8ae8b3385ac59806",
}


def demo_file(name: str) -> Path:
    """The path of a checkpoint of the demo.

    Args:
        name: :data:`MODEL` or :data:`EVALUATOR`

    Raises:
        InputError: if the file is not there, or is not the one that was shipped
    """
    path = FOLDER / name
    if not path.is_file() or sha256(path) != SHA256[name]:
        state = "is not the file that was shipped" if path.exists() else "there is no such file"
        raise InputError(f"{path}: {state}; install vqapg again")
    return path


class Chosen(NamedTuple):
    """What makes pairs, and how.

    Attributes:
        checkpoint: of the model
        judge: who scores; None: nobody
        options: that hold where nothing else is said: fields of SamplingOptions
        evaluators: that the judge reads, where it was chosen here
    """

    checkpoint: str | os.PathLike[str]
    judge: Any
    options: Mapping[str, Any]
    evaluators: Sequence[Path] = ()


def chosen(checkpoint: str | os.PathLike[str], judge: Any = None) -> Chosen:
    """What *checkpoint* and *judge* stand for: the demo, if the checkpoint is "demo".

    The demo's evaluator judges unless somebody else does, and the demo has options of its own.

    Args:
        checkpoint: the path of a model, or :data:`NAME`
        judge: as ``--judge`` names it, or a judge; None: nobody was named

    Raises:
        InputError: as :func:`demo_file`, and if "demo" is misspelt
    """
    if checkpoint != NAME:
        guess = did_you_mean(os.fspath(checkpoint), [NAME])
        if guess and not os.path.exists(checkpoint):
            raise InputError(f"--checkpoint {checkpoint}: there is no such file; {guess}")
        return Chosen(checkpoint, judge, {})
    model = demo_file(MODEL)
    if judge is not None:
        return Chosen(model, judge, OPTIONS)
    evaluator = demo_file(EVALUATOR)
    return Chosen(model, f"evaluator:{evaluator}", OPTIONS, [evaluator])


def name_of(checkpoint: str) -> str:
    """What people call a model: "demo", or the path of its *checkpoint*."""
    return NAME if Path(checkpoint) == FOLDER / MODEL else checkpoint


def evaluator_path(given: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """The checkpoint of an evaluator that is *given* by its path, or as the demo's.

    Raises:
        InputError: as :func:`demo_file`
    """
    return demo_file(EVALUATOR) if given == NAME else given
