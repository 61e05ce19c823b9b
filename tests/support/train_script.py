"""scripts/train.sh and generate.sh with stand-ins for the programs that it calls."""

import os
import subprocess
from pathlib import Path

from tests.support.fairseq_commands import REPOSITORY, Finished, run

# What the program is called with goes to a file: what it prints is in the log of the training.
KEEP = '#!/bin/sh\n(echo {}; for word in "$@"; do echo "$word"; done) > {}\n'
# What fairseq-generate makes in the folder that its last word names.
MAKE_PAIRS = 'for folder; do :; done; mkdir -p "$folder"; echo > "$folder/generate-test.txt"\n'
# The scripts ask PyTorch for the number of GPUs, which takes it seconds to say.
NO_GPU = "#!/bin/sh\necho 0\n"


def put_programs(folder: Path, programs: dict[str, str]) -> None:
    """Writes programs by name, and one that says that there is no GPU, into *folder*."""
    for name, text in (programs | {"python3": NO_GPU}).items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def environment_of(folder: Path) -> dict[str, str]:
    """The environment of this process, in which the programs of *folder* come first."""
    return os.environ | {"PATH": os.pathsep.join([str(folder), os.environ["PATH"]])}


def train_script(
    folder: Path, *arguments: object, **environment: str
) -> tuple[subprocess.CompletedProcess, list[str]]:
    """Runs train.sh where there is no GPU.

    Args:
        folder: Where the stand-ins go.
        *arguments: The words that the script is given.
        **environment: Variables beside those of this process.

    Returns:
        The finished script, and the command line that it runs, word by word.
    """
    return _script("train.sh", folder, arguments, environment, cwd=folder)


def _script(
    script: str,
    folder: Path,
    arguments: tuple[object, ...],
    environment: dict[str, str],
    cwd: Path | None = None,
) -> tuple[subprocess.CompletedProcess, list[str]]:
    """Runs *script* in *cwd*, else where this process is."""
    kept = folder / "command"
    kept.unlink(missing_ok=True)
    programs = {name: KEEP.format(name, kept) for name in ("fairseq-train", "torchrun")}
    programs["fairseq-generate"] = KEEP.format("fairseq-generate", kept) + MAKE_PAIRS
    put_programs(folder, programs)
    done = subprocess.run(
        ["bash", REPOSITORY / "scripts" / script, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment_of(folder) | environment,
    )
    return done, kept.read_text().splitlines() if kept.exists() else []


def train(folder: Path, *arguments: object) -> Finished:
    """Trains in this process as the script does with *arguments*; see :func:`train_script`."""
    done, (program, *words) = _script("train.sh", folder, arguments, {})
    assert done.returncode == 0 and program == "fairseq-train", done.stderr
    return run("train", *words)


def generate(folder: Path, *arguments: object) -> Finished:
    """Generates in this process as generate.sh does with *arguments*; see :func:`train_script`."""
    done, (program, *words) = _script("generate.sh", folder, arguments, {})
    assert done.returncode == 0 and program == "fairseq-generate", done.stderr
    # Without the folder of what is not whole yet.
    assert words[-2] == "--results-path" and words[-1].endswith(".partial")
    return run("generate", *words[:-2])
