"""scripts/train.sh with stand-ins for the programs that it calls."""

import os
import subprocess
from pathlib import Path

from tests.support.fairseq_commands import REPOSITORY, Finished, run

PRINT = '#!/bin/sh\necho {}; for word in "$@"; do echo "$word"; done\n'
# The script asks PyTorch for the number of GPUs, which takes it seconds to say.
NO_GPU = "#!/bin/sh\necho 0\n"


def train_script(
    folder: Path, *arguments: object, **environment: str
) -> tuple[subprocess.CompletedProcess, list[str]]:
    """Runs the script where there is no GPU.

    Args:
        folder: Where the stand-ins go.
        *arguments: The words that the script is given.
        **environment: Variables beside those of this process.

    Returns:
        The finished script, and the command line that it ends with, word by word.
    """
    programs = {name: PRINT.format(name) for name in ("fairseq-train", "torchrun")}
    for name, text in (programs | {"python3": NO_GPU}).items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", REPOSITORY / "scripts/train.sh", *map(str, arguments)],
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
