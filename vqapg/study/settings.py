"""The settings of a model at a preset, from ``configs/``, and the stock commands they stand for.

The files are composed by Hydra, as fairseq-hydra-train does it. What they say becomes the flags of
fairseq-train and fairseq-generate.
"""

import warnings
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

import vqapg
from vqapg.errors import InputError

# Sections of a configuration, and the flag that names what is in them.
SECTIONS = {
    "common": None,
    "task": "--task",
    "model": "--arch",
    "criterion": "--criterion",
    "dataset": None,
    "optimizer": "--optimizer",
    "lr_scheduler": "--lr-scheduler",
    "optimization": None,
    "checkpoint": None,
}
# Whose switches have a --no- form.
PAIRED = ("model",)
SHARED = ("base", "training", "generator", "latent", "evaluator", "study")


def configs_dir() -> Path:
    """The folder of the YAML files that fairseq-hydra-train reads.

    An installed package has them in it. A checkout has them at its top.
    """
    package = Path(vqapg.__file__).resolve().parent
    packaged = package / "configs"
    return packaged if packaged.is_dir() else package.parent / "configs"


def user_dir() -> Path:
    """The folder for fairseq's ``--user-dir``."""
    return Path(vqapg.__file__).resolve().parent


def models() -> list[str]:
    """The models that have a file of settings."""
    return sorted(path.stem for path in configs_dir().glob("*.yaml") if path.stem not in SHARED)


def presets() -> list[str]:
    """The presets, in alphabetical order."""
    return sorted(path.stem for path in configs_dir().glob("preset/*.yaml"))


def data_sets() -> list[str]:
    """The data sets that add settings of their own."""
    return sorted(path.stem for path in configs_dir().glob("data/*.yaml"))


def compose(
    model: str,
    preset: str = "paper",
    data_set: str | None = None,
    overrides: Sequence[str] = (),
) -> DictConfig:
    """The settings of *model* at *preset*, as fairseq-hydra-train composes them.

    Args:
        model: one of :func:`models`
        preset: one of :func:`presets`
        data_set: one of :func:`data_sets`; None: nothing of a data set
        overrides: ``KEY=VALUE`` each, such as ``optimization.max_epoch=8``

    Returns:
        fairseq's sections, and ``vqapg`` with what is ours, without references between values

    Raises:
        InputError: on a name that there is not, or an override that is none
    """
    _check("model", model, models())
    _check("--preset", preset, presets())
    words = [f"preset={preset}"]
    if data_set is not None:
        _check("--data-set", data_set, data_sets())
        words.append(f"+data={data_set}")
    for override in overrides:
        if "=" not in override or override.startswith("-"):
            raise InputError(
                f"{override}: is no change of a setting; give KEY=VALUE, such as "
                "optimization.max_epoch=8"
            )
    # Hydra takes half a second.
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import HydraException

    try:
        # Version 1.1 is fairseq's; the warning about it is of no use to a user.
        with (
            warnings.catch_warnings(action="ignore"),
            initialize_config_dir(config_dir=str(configs_dir()), version_base="1.1"),
        ):
            composed = hydra_compose(config_name=model, overrides=[*words, *overrides])
        # Keys that the user gives stay missing: the data, and the package folder.
        return _resolved(composed)
    except (HydraException, OmegaConfBaseException) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"settings of {model}: {reason}; vqapg settings {model} --yaml prints the keys"
        ) from error


def _check(what: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        close = get_close_matches(name, names, n=1)
        guess = f"did you mean {close[0]}? There are" if close else "there are"
        raise InputError(f"{what} {name}: there is none; {guess} {', '.join(names)}")


def _resolved(composed: DictConfig) -> DictConfig:
    OmegaConf.resolve(composed)
    return composed


def flags(settings: DictConfig, leave_out: Sequence[str] = ()) -> list[str]:
    """The flags of fairseq-train that *settings* stand for.

    Args:
        settings: of :func:`compose`
        leave_out: sections that the user has flags of their own for
    """
    found: list[str] = []
    for section, name_flag in SECTIONS.items():
        if section in leave_out or section not in settings:
            continue
        values = settings[section]
        if name_flag is not None:
            found += [name_flag, values["_name"]]
        for key in map(str, values):
            if key != "_name" and not OmegaConf.is_missing(values, key):
                found += _flag(key, values[key], section in PAIRED)
    return found


def _flag(key: str, value: Any, paired: bool) -> Iterator[str]:
    flag = "--" + key.replace("_", "-")
    if isinstance(value, bool):
        if value:
            yield flag
        elif paired:
            yield f"--no-{flag.removeprefix('--')}"
    elif isinstance(value, (list, ListConfig)):
        yield from (flag, ",".join(map(str, value)))
    elif value is not None:
        yield from (flag, str(value))


def train_command(
    settings: DictConfig,
    data: str,
    save_dir: str,
    *,
    seed: int | None = None,
    gpus: int = 0,
    embed_path: str | None = None,
    start_from: str | None = None,
) -> list[str]:
    """The stock command that trains.

    Args:
        settings: of :func:`compose`
        data: the data directory
        save_dir: where checkpoints go; the same command continues from those
        seed: in the place of the settings' own
        gpus: how many processes, a GPU each; 0: the CPU
        embed_path: word vectors that the embeddings start from
        start_from: a checkpoint whose weights the training starts from
    """
    settings = settings.copy()
    if seed is not None:
        settings.common.seed = seed
    where = ["--distributed-world-size", str(gpus)] if gpus else ["--cpu"]
    return [
        *("fairseq-train", data, "--user-dir", str(user_dir())),
        *flags(settings),
        *(["--embed-path", embed_path] if embed_path else []),
        *(["--finetune-from-model", start_from] if start_from else []),
        *("--save-dir", save_dir, *where),
    ]


def generate_command(
    settings: DictConfig,
    data: str,
    checkpoint: str,
    subset: str = "test",
    *,
    seed: int = 1,
    gpus: int = 0,
    pretraining: bool = False,
) -> list[str]:
    """The stock command that generates a pair for each pair of *subset*.

    Args:
        settings: of :func:`compose`
        data: the data directory
        checkpoint: of the model
        subset: the split
        seed: of the latent variables
        gpus: 0: the CPU
        pretraining: generate as Table 8 wants the pairs that are trained on
    """
    generation = dict(settings.generation)
    if pretraining:
        generation |= dict(settings.vqapg.table_8.generation)
    words = [word for key, value in generation.items() for word in _flag(str(key), value, False)]
    return [
        *("fairseq-generate", data, "--user-dir", str(user_dir()), "--task", "vqapg"),
        *("--path", checkpoint, "--gen-subset", subset, *words),
        *("--batch-size", str(settings.dataset.batch_size), "--seed", str(seed)),
        *([] if gpus else ["--cpu"]),
    ]
