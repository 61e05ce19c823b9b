"""Backbones that note which pictures they see, for tests of what is computed twice."""

import os
import signal
import time
from pathlib import Path

import torch

from vqapg.backbones.backbone import Backbone, Preprocessing


class _Noting(torch.nn.Module):
    """[N, 3, H, W] -> [N, 3, 2, 2]: mean colours. A picture's number is its first red value."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__()
        self.path, self.seconds, self.noting = path, seconds, False

    def forward(self, images):
        if self.noting:
            time.sleep(self.seconds)
            with open(self.path, "a", encoding="utf-8") as file:
                for image in images:
                    file.write(f"{round(255 * float(image[0, 0, 0]))}\n")
        return torch.nn.functional.adaptive_avg_pool2d(images, 2)


def noted(name, weights, image_size):
    """The file *weights* takes the number of each picture, a line each."""
    return _build(name, weights, image_size, seconds=0.0)


def slowly_noted(name, weights, image_size):
    """Leaves time to kill something."""
    return _build(name, weights, image_size, seconds=0.4)


def _build(name, weights, image_size, seconds):
    network = _Noting(Path(weights), seconds)
    preprocessing = Preprocessing(image_size or 8, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    backbone = Backbone(name, network, preprocessing, "noted", "0" * 64)
    network.noting = True
    return backbone


def killed_once(name, weights, image_size):
    """Its process is killed at the first picture, once."""
    backbone = _build(name, weights, image_size, seconds=0.0)
    backbone.network.register_forward_pre_hook(_die)
    return backbone


def _die(network, inputs):
    mark = network.path.with_suffix(".killed")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
