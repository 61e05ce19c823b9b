"""The files of a vision-language model: a folder, or a repository of the Hugging Face hub.

Nothing here runs code of the model's maker. Only JSON, text and safetensors are fetched and read.
"""

import hashlib
import re
from pathlib import Path

from vqapg.errors import InputError
from vqapg.files import check_readable_file, sha256
from vqapg.strict_json import read_json

# What a model and its processor are read from, in the folder itself.
READ = (".json", ".jinja", ".model", ".safetensors", ".txt")
HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+|[\w-][\w.-]*")
LARGEST_CONFIG = 16 << 20  # bytes


def model_folder(name: str, revision: str | None) -> Path:
    """The folder with the model's files; from the hub they are fetched once.

    Args:
        name: a folder's path, or a name of the hub
        revision: branch, tag or commit on the hub; None: the newest

    Raises:
        InputError: if there is no such model here and the hub does not give it
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = _from_hub(name, revision)
    elif revision is not None:
        raise InputError(f"--judge hf:{name}: a folder has no revision; leave revision= out")
    if not (folder / "config.json").is_file():
        raise InputError(
            f"--judge hf:{name}: has no config.json, so it is no model of transformers; "
            "give the folder that save_pretrained wrote"
        )
    if not any(folder.glob("*.safetensors")):
        raise InputError(
            f"--judge hf:{name}: has no weights in safetensors, and no other format is read; "
            "give a revision that has them, or save the model anew with save_pretrained"
        )
    return folder


def model_type(folder: Path) -> str:
    """The architecture that the model's ``config.json`` names, such as "blip".

    Raises:
        InputError: if it names none
    """
    cure = "give another model"
    config = read_json(check_readable_file(folder / "config.json", cure, LARGEST_CONFIG), cure)
    kind = config.get("model_type") if isinstance(config, dict) else None
    if not isinstance(kind, str):
        raise InputError(f"{folder}/config.json: names no model_type; give another model")
    return kind


def digest(folder: Path) -> str:
    """Tells the model from every other: SHA-256 over the files that it is read from."""
    lines = [
        f"{path.name} {sha256(path)}\n" for path in sorted(folder.iterdir()) if path.suffix in READ
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _from_hub(name: str, revision: str | None) -> Path:
    if not HUB_NAME.fullmatch(name):
        raise InputError(f"--judge hf:{name}: there is no such folder; give another path")
    import huggingface_hub

    try:
        fetched = huggingface_hub.snapshot_download(
            name,
            revision=revision,
            allow_patterns=[f"*{ending}" for ending in READ],
            ignore_patterns=["*/*"],
        )
    except Exception as error:  # it raises what its HTTP client raises
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"--judge hf:{name}: there is no such folder, and the Hugging Face hub does not give "
            f"it ({reason}); see to the name and the network, or give a folder"
        ) from error
    return Path(fetched)
