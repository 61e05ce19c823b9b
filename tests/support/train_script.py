"""scripts/train.sh and generate.sh with stand-ins for the programs that it calls."""

import os
import subprocess
from pathlib import Path

from tests.support.fairseq_commands import REPOSITORY, Finished, run

PRINT = '#!/bin/sh\necho {}; for word in "$@"; do echo "$word"; done\n'
# The script asks PyTorch for the number of GPUs, which takes it seconds to say.
NO_GPU = "#!/bin/sh\necho 0\n"
# generate.sh asks for the flag of a machine without one.
ON_CPU = "#!/bin/sh\necho --cpu\n"


def train_script(
    folder: Path, *arguments: object, **environment: str
) -> tuple[subprocess.CompletedProcess, list[str]]:
    """Runs train.sh where there is no GPU.

    Args:
        folder: Where the stand-ins go.
        *arguments: The words that the script is given.
        **environment: Variables beside those of this process.

    Returns:
        The finished script, and the command line that it ends with, word by word.
    """
    return _script("train.sh", folder, *arguments, **environment)


def _script(
    script: str, folder: Path, *arguments: object, **environment: str
) -> tuple[subprocess.CompletedProcess, list[str]]:
    names = ("fairseq-train", "fairseq-generate", "torchrun")
    programs = {name: PRINT.format(name) for name in names} | {"python3": NO_GPU, "python": ON_CPU}
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", REPOSITORY / "scripts" / script, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": path} | environment,
    )
    return done, done.stdout.splitlines()


def train(folder: Path, *arguments: object) -> Finished:
    """Trains in this process as the script does with *arguments*; see :func:`train_script`."""
    done, (program, *words) = train_script(folder, *arguments)
    assert done.returncode == 0 and program == "fairseq-train", done.stderr
    return run("train", *words)


def generate(folder: Path, *arguments: object) -> Finished:
    """Generates in this process as generate.sh does with *arguments*; see :func:`train_script`."""
    done, (program, *words) = _script("generate.sh", folder, *arguments)
    assert done.returncode == 0 and program == "fairseq-generate", done.stderr
    return run("generate", *words)
