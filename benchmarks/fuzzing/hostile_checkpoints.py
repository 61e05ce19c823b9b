"""Checkpoints made to run code, to name other models, or to take all memory.

A label that begins with ``!`` says that the file must be refused.
"""

import io
import pickle
import random
import zipfile

import torch
from fuzzing.mutations import mutate_bytes, mutate_value
from fuzzing.traps import Traps

from vqapg.models import origin
from vqapg.tasks.checkpoint_file import ORIGIN


class _Payload:
    """What runs ``open(canary, "w")`` when it is unpickled."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return exec, (f"open({str(self.canary)!r}, 'w')",)


def checkpoint(content: bytes, rng: random.Random, traps: Traps) -> tuple[bytes, str]:
    operation = rng.choice(
        ("bytes",) * 3
        + ("state",) * 5
        + ("weights",) * 3
        + ("named", "evaluated", "payload", "payload", "bomb", "zip")
    )
    if operation == "bytes":
        return mutate_bytes(content, rng), operation
    state = torch.load(io.BytesIO(content), weights_only=False)
    label = operation
    if operation == "state":
        state = _mutate_state(state, rng)
    elif operation == "weights":
        label = f"{operation} {_mutate_weights(state['model'], rng)}"
    elif operation == "named":
        # Another of fairseq's architectures, tasks and criterions
        part, names = rng.choice(_registered())
        name = rng.choice(names)
        config = _plain(state["cfg"])
        config.setdefault(part, {})["_name"] = name
        config[part]["arch"] = name
        state["cfg"] = config
        label = f"{'!' if part == 'model' else ''}{part} is {name}"
    elif operation == "evaluated":
        code = f"[open({str(traps.canary)!r}, 'w') and (1, 1, 1)]"
        config = _plain(state["cfg"])
        config["model"] = {
            "_name": rng.choice(("wav2vec2", "wav2vec", "hubert", "data2vec_audio")),
            "conv_feature_layers": code,
            "conv_aggregator_layers": code,
        }
        state["cfg"], label = config, f"!{config['model']['_name']} with code"
    elif operation == "payload":
        payload = _Payload(traps.canary)
        places = [state, state["extra_state"], state["model"], state["optimizer_history"][0]]
        rng.choice(places)[rng.choice(("x", "cfg", "args", "dictionary"))] = payload
        form = rng.choice(("zip", "legacy", "pickle"))
        if form == "pickle":
            return pickle.dumps(rng.choice((payload, {"model": payload}))), "!payload in a pickle"
        return save(state, legacy=form == "legacy"), f"!payload in {form}"
    elif operation == "bomb":
        return traps.bomb.read_bytes(), "!bomb"
    else:
        return _mutate_zip(content, rng), operation
    return save(state, legacy=rng.random() < 0.1), label


def save(state, legacy=False):
    file = io.BytesIO()
    torch.save(state, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def _plain(config):
    from omegaconf import OmegaConf

    return OmegaConf.to_container(config) if OmegaConf.is_config(config) else dict(config or {})


def _registered():
    from fairseq.criterions import CRITERION_REGISTRY
    from fairseq.models import ARCH_MODEL_REGISTRY
    from fairseq.tasks import TASK_REGISTRY

    registries = (
        ("model", ARCH_MODEL_REGISTRY),
        ("task", TASK_REGISTRY),
        ("criterion", CRITERION_REGISTRY),
    )
    return [
        (part, sorted(name for name in names if "vqapg" not in name)) for part, names in registries
    ]


def _mutate_state(state, rng):
    """Anything but the tensors: what they are replaced by is a tensor or an odd value."""
    tensors = {}

    def hide(value):
        if torch.is_tensor(value):
            tensors[key := f"tensor {len(tensors)}"] = value
            return key
        if isinstance(value, dict):
            return {key: hide(item) for key, item in value.items()}
        return [hide(item) for item in value] if isinstance(value, (list, tuple)) else value

    def show(value):
        if isinstance(value, str) and value in tensors:
            return tensors[value]
        if isinstance(value, dict):
            return {key: show(item) for key, item in value.items()}
        return [show(item) for item in value] if isinstance(value, list) else value

    hidden = hide(state | {"cfg": _plain(state["cfg"])})
    part = rng.choice(("all", "cfg", "model", "extra"))
    if part == "all":
        return show(mutate_value(hidden, rng))
    if part == "cfg":
        hidden["cfg"] = mutate_value(
            {key: hidden["cfg"].get(key) for key in ("model", "task")}, rng
        )
    elif part == "model":
        hidden["model"] = mutate_value(hidden["model"], rng)
    else:
        # The record of the training data, with the checksum that fits it
        record = origin.from_tensor(state["model"][ORIGIN])
        record["dictionary"] = record["dictionary"][:8]  # or all changes would fall on its words
        hidden["model"][ORIGIN] = origin.to_tensor(mutate_value(record, rng))
    return show(hidden)


def _mutate_weights(weights, rng):
    name = rng.choice([name for name, value in weights.items() if torch.is_tensor(value)])
    tensor = weights[name].clone()
    operation = rng.choice(
        (
            "nan",
            "infinite",
            "huge",
            "zero",
            "shape",
            "empty",
            "integers",
            "complex",
            "expanded",
            "meta",
        )
    )
    if operation in ("nan", "infinite", "huge", "zero"):
        number = {"nan": float("nan"), "infinite": float("inf"), "huge": 3e38, "zero": 0}[operation]
        tensor.view(-1)[: rng.choice((1, tensor.numel()))] = number
    else:
        tensor = {
            "shape": lambda: tensor.unsqueeze(0).repeat(2, *[1] * tensor.dim()),
            "empty": lambda: tensor[:0],
            "integers": lambda: tensor.to(torch.int64),
            "complex": lambda: tensor.to(torch.complex64),
            # Many numbers in the memory of one
            "expanded": lambda: torch.zeros(1).expand(10**12),
            "meta": lambda: torch.empty(tensor.shape, device="meta"),
        }[operation]()
    weights[name] = tensor
    return operation


def _mutate_zip(content, rng):
    """The same archive with records lost, renamed, doubled, compressed or cut."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(result, "w") as target:
        for record in source.namelist():
            data, name, draw = source.read(record), record, rng.random()
            if draw < 0.05:
                continue
            if draw < 0.1:
                data = mutate_bytes(data, rng)
            elif draw < 0.13:
                name = rng.choice(("../../canary", "/tmp/x", name.upper(), "archive/data.pkl"))
            target.writestr(name, data, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
    return result.getvalue()
