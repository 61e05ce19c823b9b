"""The weights of a network of timm: published ones from the hub, a local file's, or random."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import nn

from vqapg.backbones.weights import State, Weights, downloaded_file, state_sha256
from vqapg.errors import InputError
from vqapg.files import sha256
from vqapg.picture_size import PictureSize, sides

PUBLISHED = ("imagenet", "pretrained")
# The names of weight files on the hub, the safe format first.
HUB_FILES = ("model.safetensors", "pytorch_model.bin")
# What features say of their weights: "tv_in1k (timm 1.0.31)"
_RECORDED = re.compile(r"(.+) \(timm [^()]+\)")


def load_timm(
    name: str, model_name: str, weights: str, image_size: PictureSize | None
) -> tuple[nn.Module, Weights]:
    """The model with *weights*, and what they are called and their checksum.

    Args:
        name: the backbone's, for messages
        model_name: timm's, with or without a tag
        weights: ``imagenet`` or ``pretrained``, which are the published ones, whatever they were
            trained on; their tag, the path of a file, or ``none``
        image_size: of the pictures; None: the model's own

    Returns:
        The model, and the weights. They are called by tag, file or ``none``, with timm's version.
        These texts may be given as *weights* again.

    Raises:
        InputError: if there are no such weights, or they do not fit
    """
    import timm
    from timm.models import get_pretrained_cfg

    config = get_pretrained_cfg(model_name)
    recorded = _RECORDED.fullmatch(weights)
    weights = recorded[1] if recorded else weights
    options: dict[str, Any] = {}
    if image_size is not None and config is not None and config.fixed_input_size:
        options["img_size"] = sides(image_size)
    if weights == "none":
        model = _random(name, model_name, image_size, options)
        return model, Weights(f"none (timm {timm.__version__})", state_sha256(model))
    tag = config.tag if config is not None else ""
    published = weights in (*PUBLISHED, tag) and not Path(weights).is_file()
    path = published_file(name, config) if published else Path(weights)
    state = read_state(path, name, weights)
    for classes in _class_counts(state, config):
        # timm is strict about names only where the numbers of classes are equal.
        source = {
            "file": str(path),
            "custom_load": False,
            "num_classes": classes,
            "label_offset": 0,
        }
        try:
            model = timm.create_model(
                model_name,
                pretrained=True,
                num_classes=classes,
                pretrained_cfg_overlay=source,
                **options,
            )
        except Exception as error:  # whatever a family's conversion of older files stumbles over
            failure = error
        else:
            label = (tag or "pretrained") if published else path.name
            return model, Weights(f"{label} (timm {timm.__version__})", sha256(path))
    _random(name, model_name, image_size, options)  # is the size at fault?
    where = f" at --image-size {image_size}" if options else ""
    raise InputError(
        f"--weights {weights}: not the weights of {name}{where}; give those, or another --backbone"
    ) from failure


def read_state(path: Path, name: str, weights: str) -> State:
    """The tensors of a file by name. A pickle that holds code is refused.

    Raises:
        InputError: if there is no such file, or it is no state dict
    """
    from timm.models import load_state_dict

    if not path.is_file():
        raise InputError(
            f"--weights {weights}: no such file; "
            f"give pretrained, none or the path of a state dict of {name}"
        )
    try:
        state: State = load_state_dict(str(path), weights_only=True)
    except Exception as error:  # whatever the unpickler stumbles over
        raise InputError(
            f"--weights {weights}: not a .safetensors file, nor a state dict saved by torch.save; "
            f"give one of {name}"
        ) from error
    return state


def published_file(name: str, config: Any) -> Path:
    """The file of the published weights that timm's *config* names, downloaded where it must be.

    Raises:
        InputError: if none are published, or they cannot be downloaded
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    url = getattr(config, "url", None)
    if config is None or not (config.hf_hub_id or url):
        raise InputError(
            f"--backbone {name}: timm publishes no weights of it; give --weights FILE, "
            "or --weights none for a random network"
        )
    if not config.hf_hub_id:
        return downloaded_file(name, str(url))
    repository, _, revision = config.hf_hub_id.partition("@")
    files = (config.hf_hub_filename,) if config.hf_hub_filename else HUB_FILES
    for file in files:
        try:
            return Path(hf_hub_download(repository, file, revision=revision or None))
        except EntryNotFoundError as error:
            failure: Exception = error
        except Exception as error:  # the network's, the disk's or the hub's
            failure = error
            break
    raise InputError(
        f"the weights of {name} cannot be downloaded ({' '.join(str(failure).split())}): get "
        f"{files[0]} of https://huggingface.co/{repository} another way and give it as "
        "--weights FILE"
    ) from failure


def _class_counts(state: State, config: Any) -> Iterator[int]:
    """How many classes the file's classifier may have, likeliest first; 0 is no classifier."""
    names = getattr(config, "classifier", None) or ()
    found = [
        len(state[f"{classifier}.weight"])
        for classifier in ([names] if isinstance(names, str) else names)
        if f"{classifier}.weight" in state
    ]
    # Where the classifier has another name in an older file, timm renames it.
    others = () if config is None else (config.num_classes,)
    yield from dict.fromkeys([*found[:1], 0, *others])


def _random(
    name: str, model_name: str, image_size: PictureSize | None, options: dict[str, Any]
) -> nn.Module:
    """The network without weights.

    Raises:
        InputError: if it cannot be built for that size
    """
    import timm

    try:
        return timm.create_model(model_name, pretrained=False, num_classes=0, **options)
    except (RuntimeError, AssertionError, ValueError, TypeError) as error:
        if image_size is None:
            raise
        raise InputError(
            f"--image-size {image_size}: {name} cannot be built for it "
            f"({' '.join(str(error).split())}); give another, or none"
        ) from error
