"""Which device a network runs on."""

import torch

from vqapg.errors import InputError


def chosen_device(device: str) -> str:
    """The device that *device* asks for.

    Args:
        device: ``cpu``, ``cuda`` or another name of torch's; ``auto``: a GPU if there is one

    Raises:
        InputError: if torch knows no such device, or sees no GPU
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise InputError(
            f"--device {device}: torch knows no such device; give auto, cpu or cuda"
        ) from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise InputError(f"--device {device}: torch sees no GPU here; use --device cpu")
    return device
