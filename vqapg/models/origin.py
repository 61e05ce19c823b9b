"""What a checkpoint records of its training data: a tensor of characters among the weights.

fairseq's average_checkpoints.py adds up every entry of a checkpoint's weights, and so does its
moving average. A dictionary among them stops both. Numbers that are equal in all checkpoints come
out of an average unchanged.
"""

import hashlib
import json
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vqapg.errors import InputError
from vqapg.picture_size import LARGEST_SIDE, is_picture_size
from vqapg.provenance import IMPORTED

DIGEST = 64  # characters of a SHA-256 in hexadecimal


def to_tensor(record: dict[str, Any]) -> Tensor:
    """The record as the codes of its JSON text, after the text's SHA-256.

    Shape: ``[characters]``, float32, which averages whole numbers exactly.
    """
    text = json.dumps(record)
    codes = (_digest(text) + text).encode("ascii")
    return torch.from_numpy(np.frombuffer(codes, dtype=np.uint8).astype(np.float32))


def from_tensor(stored: Tensor | dict[str, Any]) -> dict[str, Any]:
    """The record that a checkpoint stores: a tensor, or in files of version 0.1 a dictionary.

    Raises:
        InputError: if it is damaged, an average over different data, or not of the right types
    """
    if isinstance(stored, dict):
        record = stored
    elif isinstance(stored, Tensor):
        record = _decode(stored)
    else:
        raise InputError(
            "its record of the training data has a wrong type; give another checkpoint"
        )
    _check(record)
    return record


def _decode(stored: Tensor) -> dict[str, Any]:
    try:
        codes = stored.detach().to("cpu", torch.float64).round().numpy()
        if ((codes >= 0) & (codes < 128)).all():
            text = codes.astype(np.uint8).tobytes().decode("ascii")
            digest, text = text[:DIGEST], text[DIGEST:]
            if digest == _digest(text):
                record: dict[str, Any] = json.loads(text)  # checked by the caller
                return record
    except (ValueError, RuntimeError, TypeError, RecursionError):
        pass
    raise InputError(
        "its record of the training data is damaged, or an average over models of different data; "
        "give another checkpoint, or average models of one data directory"
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _check(record: Any) -> None:
    features = record.get("features") if isinstance(record, dict) else None
    words = record.get("dictionary") if isinstance(record, dict) else None
    wrong = None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        wrong = "its dictionary is not a list of words"
    elif not isinstance(record.get("model", ""), str):
        wrong = "the model's name is not a text"
    elif not isinstance(features, dict) or not all(
        isinstance(features.get(key), str) for key in ("backbone", "weights_sha256")
    ):
        wrong = "it does not name the backbone and its weights"
    elif features["backbone"].startswith(IMPORTED):
        # No network of ours made them, so there is no picture's size either.
        size = features.get("image_size")
        wrong = None if type(size) is int and size == 0 else "imported features have an image size"
    elif type(size := features.get("image_size")) is int and not 1 <= size <= LARGEST_SIDE:
        wrong = f"its image size is not between 1 and {LARGEST_SIDE:,}"
    elif not is_picture_size(size):
        wrong = "its image size is not a whole number, nor HEIGHTxWIDTH such as 224x160"
    if wrong:
        raise InputError(
            f"its record of the training data is wrong: {wrong}; give another checkpoint"
        )
