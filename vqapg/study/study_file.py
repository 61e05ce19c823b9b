"""``study.json``: what is reproduced in a study's folder, and with which settings.

`vqapg reproduce` writes it before anything else. The report has its captions from it. A folder that
was made with other settings is not continued.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from vqapg.errors import InputError
from vqapg.provenance import KEY, provenance
from vqapg.strict_json import read_json
from vqapg.targets import write_json

NAME = "study.json"
CURE = "give another --dest, or remove that folder"


class Study(NamedTuple):
    """What is reproduced.

    Attributes:
        dataset: ``vqa2``, ``visual7w``, ``easy-vqa``, ``scenes``, or the name of a data directory
        preset: of the settings
        changes: of the preset's settings, ``KEY=VALUE`` each
        settings_of: the file of ``configs/data`` that adds to the preset
        data: the data directory that was given, absolute; None where the data set is prepared here
        source: of the data set
        vectors: the file of GloVe vectors
        backbone_weights: of the backbone; None: ImageNet's, as it brings them
    """

    dataset: str
    preset: str
    changes: tuple[str, ...] = ()
    settings_of: str | None = None
    data: str | None = None
    source: str | None = None
    vectors: str | None = None
    backbone_weights: str | None = None


# What may be left out when a study is continued; it is then as it was.
REMEMBERED = ("source", "vectors", "backbone_weights")


def read_study(path: Path) -> Study:
    """The study that the file *path* is of.

    Raises:
        InputError: if it is no such file
    """
    stored = _read(path)
    try:
        options = stored["options"]
        return Study(stored["dataset"], stored["preset"], tuple(options.pop("changes")), **options)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: is no study of this version of vqapg; {CURE}") from error


def continued(folder: Path, study: Study, digest: str) -> Study:
    """*study* as it is continued in *folder*: with what the user need not say again.

    Args:
        folder: of the study; it may hold none yet
        study: as the command line has it
        digest: of all settings that it is made with

    Raises:
        InputError: if the folder holds another study, or one made with other settings
    """
    path = folder / NAME
    if not path.exists():
        return study
    before = read_study(path)
    given = {name: getattr(study, name) or getattr(before, name) for name in REMEMBERED}
    study = study._replace(**given)
    for name, now, then in zip(Study._fields, study, before):
        if now != then:
            raise InputError(
                f"{folder}: was made with {name} {_shown(then)}, not {_shown(now)}; {CURE}"
            )
    if _read(path).get("settings_sha256") != digest:
        raise InputError(f"{folder}: was made with other settings of preset {study.preset}; {CURE}")
    return study


def write_study(
    folder: Path,
    study: Study,
    digest: str,
    *,
    seeds: list[int],
    device: str,
    settings: dict[str, Any],
) -> None:
    """Write ``study.json``; seeds that were there stay."""
    path = folder / NAME
    before = _read(path).get("seeds", []) if path.exists() else []
    options = {name: getattr(study, name) for name in Study._fields[2:]}
    content = {
        "dataset": study.dataset,
        "preset": study.preset,
        "seeds": sorted({*seeds, *before}),
        "device": device,
        "settings": settings,
        "options": options,
        "settings_sha256": digest,
        KEY: provenance(preset=study.preset),
    }
    write_json(path, content, overwrite=True)


def _read(path: Path) -> dict[str, Any]:
    stored = read_json(path, CURE)
    if not isinstance(stored, dict):
        raise InputError(f"{path}: is no study; {CURE}")
    return stored


def _shown(value: object) -> str:
    return json.dumps(value) if isinstance(value, tuple) else str(value)
