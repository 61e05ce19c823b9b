"""The region weights (equation 5) that pairs are generated with, for showing them."""

import contextlib

import torch

from vqapg.modules.region_scaling import RegionScaling


@contextlib.contextmanager
def region_weights_of(model):
    """While a model generates, gathers its region weights.

    Yields a dict that holds, after ``model.generate``, ``[B, R]`` for each text that has weights of
    its own: "question" and "answer" in a pipeline, "pair" elsewhere; empty in a model without
    region scaling.
    """
    gathered = {}
    hooks = [
        part.register_forward_hook(
            lambda part, inputs, output, name=name: gathered.update(
                {_text_of(model, name): output[1].float().cpu()}
            )
        )
        for name, part in model.named_modules()
        if isinstance(part, RegionScaling)
    ]
    try:
        yield gathered
    finally:
        for hook in hooks:
            hook.remove()


def _text_of(model, name):
    """The text that the region scaling called *name* in *model* is of."""
    return {"x_model": getattr(model, "x", None), "y_model": getattr(model, "y", None)}.get(
        name.split(".")[0], "pair"
    )


def as_bytes(weights):
    """Weights in [0, 1] as one byte each, 255 for 1: enough to be shown."""
    return bytes((torch.as_tensor(weights) * 255).round().to(torch.uint8).tolist())
