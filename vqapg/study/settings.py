"""The settings of a model at a preset, from ``configs/``, and the stock commands they stand for.

The files are composed by Hydra, as fairseq-hydra-train does it. What they say becomes the flags of
fairseq-train and fairseq-generate.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from omegaconf import MISSING, DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

import vqapg
from vqapg.did_you_mean import did_you_mean
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
# The file of word vectors in a data directory, which vqapg glove writes.
GLOVE = "glove.300d.txt"
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
        data_set: one of :func:`data_sets`, or a reader's name, such as ``easy-vqa``; None:
            nothing of a data set
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
        data_set = data_set.replace("-", "_")
        _check("--data-set", data_set, data_sets())
        words.append(f"+data={data_set}")
    for override in overrides:
        if "=" not in override or override.startswith("-"):
            raise InputError(
                f"{override}: is no change of a setting; give KEY=VALUE, such as "
                "optimization.max_epoch=8"
            )
    # Hydra takes a quarter of a second.
    from hydra.errors import HydraException

    try:
        return _resolved(_composed(model, [*words, *overrides]))
    except (HydraException, OmegaConfBaseException) as error:
        keys = [override.partition("=")[0] for override in overrides]
        reason = _unknown_key(_composed(model, words), keys) or (
            f"{str(error).strip().splitlines()[0]}; vqapg settings {model} --yaml prints the keys"
        )
        raise InputError(f"settings of {model}: {reason}") from error


def _check(what: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        told = did_you_mean(name, names, f"there are {', '.join(names)}")
        raise InputError(f"{what} {name}: there is none; {told}")


def _composed(model: str, overrides: Sequence[str]) -> DictConfig:
    """What Hydra makes of the files. The process stays as it was."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.core.config_store import ConfigStore
    from hydra.version import VersionBase

    version, known = VersionBase.instance().getbase(), ConfigStore.instance().repo
    # Where fairseq-hydra-train runs, it has told Hydra of all its defaults, under this name.
    defaults = known.pop(f"{model}.yaml", None)
    try:
        with initialize_config_dir(config_dir=str(configs_dir()), version_base="1.3"):
            return hydra_compose(config_name=model, overrides=list(overrides))
    finally:
        VersionBase.instance().version_base = version
        if defaults is not None:
            known[f"{model}.yaml"] = defaults


def _unknown_key(settings: DictConfig, keys: Sequence[str]) -> str | None:
    """What is wrong with the first of *keys* that *settings* lack; None where they have all."""
    known = _keys(OmegaConf.to_container(settings))
    for key in keys:
        # Such as +task.valid_draws, which is added, and the choice of a file.
        if key[:1] in "+~" or key in (*known, "preset"):
            continue
        told = did_you_mean(key, known, f"what is to be added has a plus, +{key}=...")
        return f"{key}: no file names it; {told}"
    return None


def _keys(values: Any, above: str = "") -> list[str]:
    """All keys with dots, such as ``model.dropout``, those of groups too."""
    if not isinstance(values, dict):
        return []
    names = [(f"{above}{name}", value) for name, value in values.items()]
    return [key for name, value in names for key in (name, *_keys(value, f"{name}."))]


def _resolved(composed: DictConfig) -> DictConfig:
    """Without references. What the user gives stays missing: the data, and the package folder."""
    vectors = (composed.vqapg, "word_vectors"), (composed.model, "embed_path")
    if OmegaConf.is_missing(composed.task, "data") and OmegaConf.is_interpolation(*vectors[0]):
        # They lie in the data directory.
        for section, key in vectors:
            if OmegaConf.is_interpolation(section, key):
                section[key] = MISSING
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
            # The data directory is no flag: it comes first.
            given = (section, key) == ("task", "data") or OmegaConf.is_missing(values, key)
            if key != "_name" and not given:
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
    elif value not in (None, ""):
        yield from (flag, str(value))


def quoted(text: str) -> str:
    """*text* as a value in ``KEY=VALUE``, whatever characters it has."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def options(values: DictConfig) -> list[str]:
    """The flags that a group of values stands for: ``--image-size 299`` for ``image_size: 299``."""
    return [word for key, value in values.items() for word in _flag(str(key), value, False)]


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
        embed_path: word vectors that the embeddings start from; None: as the settings say, which
            have them in the data directory
        start_from: a checkpoint whose weights the training starts from
    """
    settings = settings.copy()
    if seed is not None:
        settings.common.seed = seed
    if OmegaConf.is_missing(settings.model, "embed_path"):
        settings.model.embed_path = f"{data}/{GLOVE}"
    if embed_path is not None:
        settings.model.embed_path = embed_path
    where = ["--distributed-world-size", str(gpus)] if gpus else ["--cpu"]
    return [
        *("fairseq-train", data, "--user-dir", str(user_dir())),
        *flags(settings),
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
    generation = settings.generation
    if pretraining:
        generation = OmegaConf.create({**generation, **settings.vqapg.table_8.generation})
    return [
        *("fairseq-generate", data, "--user-dir", str(user_dir()), "--task", "vqapg"),
        *("--path", checkpoint, "--gen-subset", subset, *options(generation)),
        *("--batch-size", str(settings.dataset.batch_size), "--seed", str(seed)),
        *([] if gpus else ["--cpu"]),
    ]
