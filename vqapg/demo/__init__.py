"""The demo: a small model and its evaluator, which come with the package.

They are for a first try on photographs. docs/demo.md says what they were trained on, under which
licence, and what they cannot do. ``scripts/demo.sh`` trains them.
"""

from pathlib import Path

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
    MODEL: "40b1943fc1e718ec72fe7dea9c0cbea0b63713dce6d56061a4e8ed8a4ee07e06",
    EVALUATOR: "aceb8f0f73724b75fecb81f8cb399ab694f4aeb61f1362e257145cd97edb9761",
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
