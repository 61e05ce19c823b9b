"""`vqapg reproduce`: checks what is asked for, writes ``study.json``, and becomes Snakemake."""

import fcntl
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple, NoReturn

from vqapg.counted import counted
from vqapg.datasets.official import source_folder
from vqapg.datasets.visual7w import EXPECTED as VISUAL7W
from vqapg.datasets.vqa2 import EXPECTED as VQA2
from vqapg.did_you_mean import did_you_mean
from vqapg.errors import InputError, RunError
from vqapg.files import atomic_write
from vqapg.strict_json import read_json
from vqapg.study.job import visible_gpus
from vqapg.study.plan import read_plan
from vqapg.study.recipes import Recipes
from vqapg.study.settings import configs_dir
from vqapg.study.study_file import NAME, Study, continued, write_study

SNAKEFILE = Path(__file__).with_name("Snakefile")
LOCK = ".study.lock"
IMAGES = "images.txt"
# The data sets that are prepared here, with the names of their files in configs/data, and the files
# of those that people must get.
DATA_SETS = {
    "vqa2": "vqa2",
    "visual7w": "visual7w",
    "easy-vqa": "easy_vqa",
    "scenes": "scenes",
}
EXPECTED = {"vqa2": VQA2, "visual7w": VISUAL7W}


class Reproduction(NamedTuple):
    """What `vqapg reproduce` is asked for; the flags say what each is."""

    what: str
    preset: str = "paper"
    changes: tuple[str, ...] = ()
    source: str | None = None
    only: tuple[str, ...] = ()
    seeds: str = "1 2 3"
    dest: str | None = None
    vectors: str | None = None
    backbone_weights: str | None = None
    images: tuple[str, ...] = ()
    gpus: int | None = None
    cores: int | None = None
    profile: str | None = None


def reproduce(wanted: Reproduction, *, dry_run: bool = False) -> None:
    """Run the study, or print what it would run. This process becomes Snakemake.

    Raises:
        InputError: if something is missing or does not fit; nothing has been run then
        RunError: if a dry run fails
    """
    name = f"{Path(wanted.what).name}-{wanted.preset}"
    folder = Path(wanted.dest or f"runs/{name}")
    # Before anything that takes a second.
    verb = "What reproduces" if dry_run else "Reproducing"
    print(f"{verb} the paper on {wanted.what} with preset {wanted.preset}, in {folder}", flush=True)
    if importlib.util.find_spec("snakemake") is None:
        raise InputError('Snakemake is missing; install it: pip install "vqapg[study]"')
    plan = read_plan(configs_dir() / "study.yaml")
    plan.chosen(wanted.only)
    seeds = read_seeds(wanted.seeds)
    gpus, device = devices(wanted)
    recipes = Recipes(asked_for(wanted), plan, seeds, gpus)
    recipes.study = continued(folder, recipes.study, recipes.digest())
    check_sources(folder, recipes, dry_run=dry_run)
    if dry_run:
        _dry_run(wanted, folder, recipes, device)
    else:
        _become_snakemake(wanted, folder, recipes, device)


def read_seeds(text: str) -> list[int]:
    """The seeds that ``--seeds`` names.

    Raises:
        InputError: if they are not different whole numbers from 0 up
    """
    words = text.replace(",", " ").split()
    if not words or not all(re.fullmatch("[0-9]{1,9}", word) for word in words):
        raise InputError(f'--seeds "{text}": give whole numbers, such as --seeds "1 2 3"')
    seeds = [int(word) for word in words]
    if len(set(seeds)) < len(seeds):
        raise InputError(f'--seeds "{text}": has one twice; name each once')
    return seeds


def devices(wanted: Reproduction) -> tuple[int, str]:
    """How many GPUs there are to train on, and what the report says of the device.

    Raises:
        InputError: if fewer GPUs are there than ``--gpus`` says
    """
    if wanted.gpus is not None and wanted.gpus < 0:
        raise InputError(f"--gpus {wanted.gpus}: must be at least 0")
    if wanted.cores is not None and wanted.cores < 1:
        raise InputError(f"--cores {wanted.cores}: must be at least 1")
    cores = wanted.cores or len(os.sched_getaffinity(0))
    if wanted.profile is not None and wanted.gpus is not None:
        return wanted.gpus, f"{counted(wanted.gpus, 'GPU')} of a cluster"
    if wanted.gpus == 0:
        return 0, f"CPU, {counted(cores, 'core')}"
    visible = visible_gpus()
    gpus = len(visible) if wanted.gpus is None else wanted.gpus
    if gpus > len(visible):
        raise InputError(
            f"--gpus {gpus}: this machine shows {len(visible)}; give as many, or --cpu"
        )
    if gpus == 0:
        return 0, f"CPU, {counted(cores, 'core')}"
    # The jobs read it: PyTorch takes seconds to count.
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(visible[:gpus])
    return gpus, f"{gpus} x {gpu_name()}"


def gpu_name() -> str:
    """Of the first visible GPU."""
    from torch.cuda import get_device_name, is_available

    return get_device_name(0) if is_available() else "GPU"


def asked_for(wanted: Reproduction) -> Study:
    """The study of the command line alone.

    Raises:
        InputError: if WHAT is no data set, and no data directory with features
    """
    path = Path(wanted.what)
    common = Study(
        wanted.what,
        wanted.preset,
        wanted.changes,
        vectors=_absolute("--glove", wanted.vectors),
        backbone_weights=_absolute("--backbone-weights", wanted.backbone_weights),
    )
    if wanted.what in DATA_SETS:
        return common._replace(
            settings_of=DATA_SETS[wanted.what], source=_absolute("--source", wanted.source)
        )
    if not path.exists():
        cure = f"give {', '.join(DATA_SETS)}, or a data directory with features"
        guess = did_you_mean(wanted.what, DATA_SETS, cure)
        raise InputError(f"{wanted.what}: there is no such data set; {guess}")
    if wanted.source is not None:
        raise InputError(f"--source: {wanted.what} needs none; it is prepared")
    if not (path / "manifest.json").is_file() or not (path / "features.h5").is_file():
        raise InputError(
            f"{wanted.what}: is neither a data set ({', '.join(DATA_SETS)}) nor a data directory "
            "with features; see vqapg prepare --help and vqapg extract-features --help"
        )
    manifest = read_json(path / "manifest.json", "give a directory that vqapg prepare made")
    name = manifest.get("dataset") if isinstance(manifest, dict) else None
    return common._replace(settings_of=DATA_SETS.get(str(name)), data=str(path.resolve()))


def check_sources(folder: Path, recipes: Recipes, *, dry_run: bool) -> None:
    """Raises InputError where a file is missing that a job would miss hours later."""
    study = recipes.study
    if study.data is None and not (folder / "data/manifest.json").exists():
        expected = EXPECTED.get(study.dataset)
        if expected is not None:
            try:
                source_folder(study.source, study.dataset, expected)
            except InputError as error:
                text = str(error).replace(f"--dataset {study.dataset}", study.dataset)
                raise InputError(text) from error
    if dry_run or not recipes.needs_glove or (folder / recipes.GLOVE).exists():
        return
    if study.vectors is None:
        raise InputError(
            f"preset {study.preset} begins with GloVe vectors; name them with --glove FILE "
            "(curl -LO https://nlp.stanford.edu/data/glove.6B.zip)"
        )


def lock_folder(folder: Path) -> int:
    """The descriptor that holds the lock on *folder*, as long as any process has it open.

    Raises:
        InputError: if another study is at work there, whose process it names
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 200, 0).decode(errors="replace") or "another process"
        os.close(descriptor)
        raise InputError(f"{folder}: {holder} is at work in it; wait for it to end") from error
    begun = time.strftime("%Y-%m-%d %H:%M")
    os.ftruncate(descriptor, 0)
    os.pwrite(
        descriptor, f"process {os.getpid()} on {os.uname().nodename}, begun {begun},".encode(), 0
    )
    return descriptor


def snakemake_command(
    wanted: Reproduction, folder: Path, recipes: Recipes, *, study_folder: Path | None = None
) -> list[str]:
    """The command line of Snakemake for the study in *folder*."""
    config = [
        f"study={(study_folder or folder).resolve() / NAME}",
        f"seeds='{' '.join(map(str, recipes.seeds))}'",
        # Snakemake reads an empty value as none.
        f"only='{' '.join(recipes.plan.chosen(wanted.only))}'",
        f"gpus={recipes.gpus}",
    ]
    # Our lock stands in for Snakemake's, which would stay after a kill. Times alone decide what
    # is made anew: a folder of other settings is refused before.
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE)),
        *("--directory", str(folder), "--nolock", "--rerun-incomplete", "--keep-going"),
        *("--rerun-triggers", "mtime", "--config", *config),
    ]
    if wanted.profile is not None:
        command += ["--profile", wanted.profile]
        if wanted.cores is not None:
            command += ["--jobs", str(wanted.cores)]
    else:
        cores = wanted.cores or len(os.sched_getaffinity(0))
        command += ["--cores", str(cores), "--resources", f"gpu={recipes.gpus}"]
    # The first seed of every run before the second of any
    if len(recipes.seeds) > 1:
        files = recipes.plan.files(wanted.only, recipes.seeds[:1])
        command += ["--prioritize", *files]
    return command


def _write(wanted: Reproduction, folder: Path, recipes: Recipes, device: str) -> None:
    """What the jobs read: ``study.json``, the images to look at, and a link to given data."""
    study = recipes.study
    write_study(
        folder,
        study,
        recipes.digest(),
        seeds=list(recipes.seeds),
        device=device,
        settings=recipes.caption_settings(),
    )
    if study.data is not None and not (folder / "data").is_symlink():
        (folder / "data").symlink_to(study.data)
    images, path = "".join(f"{image}\n" for image in wanted.images), folder / IMAGES
    # Only what is new is written: its time tells whether attention is to be stored again.
    if images and (not path.exists() or path.read_text(encoding="utf-8") != images):
        with atomic_write(path) as file:
            file.write(images)


def _dry_run(wanted: Reproduction, folder: Path, recipes: Recipes, device: str) -> None:
    """Print what is left to run in *folder*, and write nothing to it."""
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        _write(wanted, scratch, recipes, device)
        place = folder if folder.is_dir() else scratch
        command = snakemake_command(wanted, place, recipes, study_folder=scratch)
        done = subprocess.run([*command, "--dry-run"], env=_environment(recipes.gpus))
    if done.returncode:
        raise RunError("Snakemake cannot make the plan's jobs; see above")


def _become_snakemake(
    wanted: Reproduction, folder: Path, recipes: Recipes, device: str
) -> NoReturn:
    folder.mkdir(parents=True, exist_ok=True)
    # It ends with that process: the jobs do not inherit it.
    lock = lock_folder(folder)
    os.set_inheritable(lock, True)
    _write(wanted, folder, recipes, device)
    command = snakemake_command(wanted, folder, recipes)
    sys.stdout.flush()
    os.execve(sys.executable, command, _environment(recipes.gpus))


def _environment(gpus: int) -> dict[str, str]:
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    return environment | ({} if gpus else {"CUDA_VISIBLE_DEVICES": ""})


def _absolute(flag: str, path: str | None) -> str | None:
    if path is None:
        return None
    if not Path(path).exists():
        raise InputError(f"{flag} {path}: there is no such file; correct the path")
    return str(Path(path).resolve())
