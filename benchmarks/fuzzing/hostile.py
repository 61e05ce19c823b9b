"""Files made to run code, to read or write elsewhere, or to take all memory: checkpoints, features, tar shards, images.

Each function gives the file's bytes and a label. A label that begins with ``!`` says that the file must be refused.
"""

import io
import pickle
import random
import struct
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import torch
from fuzzing.mutations import ODD, mutate_bytes, mutate_value


class Traps(NamedTuple):
    """``canary`` appears when code is run; ``secret`` is a file that nobody may read; ``bomb`` is a ZIP file."""

    canary: Path
    secret: Path
    bomb: Path


class _Payload:
    """What runs ``open(canary, "w")`` when it is unpickled."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return exec, (f"open({str(self.canary)!r}, 'w')",)


def checkpoint(content: bytes, rng: random.Random, traps: Traps) -> tuple[bytes, str]:
    operation = rng.choice(
        ("bytes",) * 3 + ("state",) * 5 + ("weights",) * 3 + ("named", "evaluated", "payload", "payload", "bomb", "zip")
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
        config["model"] = {"_name": rng.choice(("wav2vec2", "wav2vec", "hubert", "data2vec_audio")),
                           "conv_feature_layers": code, "conv_aggregator_layers": code}
        state["cfg"], label = config, f"!{config['model']['_name']} with code"
    elif operation == "payload":
        payload = _Payload(traps.canary)
        places = [state, state["extra_state"], state["model"], state["model"].get("_extra_state", state)]
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

    registries = (("model", ARCH_MODEL_REGISTRY), ("task", TASK_REGISTRY), ("criterion", CRITERION_REGISTRY))
    return [(part, sorted(name for name in names if "vqapg" not in name)) for part, names in registries]


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
        hidden["cfg"] = mutate_value({key: hidden["cfg"].get(key) for key in ("model", "task")}, rng)
    elif part == "model":
        hidden["model"] = mutate_value(hidden["model"], rng)
    else:
        extra = hidden["model"].get("_extra_state", hidden["extra_state"])
        changed = mutate_value(extra, rng)
        hidden["model" if "_extra_state" in hidden["model"] else "hidden"] = hidden["model"] | {"_extra_state": changed}
    return show(hidden)


def _mutate_weights(weights, rng):
    name = rng.choice([name for name, value in weights.items() if torch.is_tensor(value)])
    tensor = weights[name].clone()
    operation = rng.choice(("nan", "infinite", "huge", "zero", "shape", "empty", "integers", "complex", "expanded", "meta"))
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


def features(content: bytes, rng: random.Random, traps: Traps) -> tuple[bytes, str]:
    if rng.random() < 0.3:
        return mutate_bytes(content, rng), "bytes"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "features.h5")
        path.write_bytes(content)
        with h5py.File(path, "r+") as file:
            label = _mutate_hdf5(file, rng, traps)
        return path.read_bytes(), label


def _mutate_hdf5(file, rng, traps):
    name = rng.choice(list(file))
    old = file[name]
    shape, kind = old.shape, old.dtype
    operation = rng.choice(
        ("attribute", "lost attribute", "lost", "values", "values", "kind", "shape", "vast", "external", "external",
         "link", "soft", "virtual", "chunked", "group")
    )
    if operation == "attribute":
        file.attrs[rng.choice(list(file.attrs))] = rng.choice(
            [value for value in ODD[:18] if value is not None and abs_below(value)] + [np.arange(5), np.nan, "a" * 9000]
        )
        return operation
    if operation == "lost attribute":
        del file.attrs[rng.choice(list(file.attrs))]
        return operation
    if operation == "values":
        if name == "ids":
            old[rng.randrange(len(old))] = rng.choice(("", "x", "\n", "../../etc/passwd", old.asstr()[0]))
        else:
            old[...] = rng.choice((0, 1, np.nan, np.inf, -1))
        return f"values of {name}"
    del file[name]
    if operation == "kind":
        file[name] = np.zeros(shape, rng.choice(("f8", "i8", "S3", "c16", "f4", "?")))
    elif operation == "shape":
        file[name] = np.zeros(rng.choice(((), (0,), (*shape, 1), (shape[0] + 1, *shape[1:]), shape[:1])), "f2")
    elif operation == "vast":
        file.create_dataset(name, (10**12, *shape[1:]), "f2" if name == "features" else "f4", chunks=(1, *shape[1:]))
    elif operation == "external":
        place = rng.choice((str(traps.secret), "../secret", "none", "../../outside", "/dev/zero", "/etc/passwd"))
        size = int(np.prod(shape)) * 8
        numbers = kind if kind.kind == "f" else "u1"
        file.create_dataset(name, shape, numbers, external=[(place, rng.choice((0, 8)), size)])
        return f"!external {name}"
    elif operation == "link":
        file[name] = h5py.ExternalLink(rng.choice((str(traps.secret), "features.h5", "none")), rng.choice((name, "/")))
        return f"!link for {name}"
    elif operation == "soft":
        file[name] = h5py.SoftLink(rng.choice((f"/{name}", "/none", "/features", "/ids")))
    elif operation == "virtual":
        layout = h5py.VirtualLayout(shape, kind if kind.kind == "f" else "f4")
        layout[...] = h5py.VirtualSource(str(traps.secret), "x", shape)
        file.create_virtual_dataset(name, layout)
        return f"!virtual {name}"
    elif operation == "chunked":
        file.create_dataset(name, shape, kind if kind.kind == "f" else "f4", chunks=True, compression="gzip")
    elif operation == "group":
        file.create_group(name)
    return f"{operation} {name}"


def abs_below(value):
    """Whether HDF5 has a type for *value*."""
    return not isinstance(value, (int, float)) or abs(value) < 2**63 or value != value


def shard(content: bytes, rng: random.Random, traps: Traps) -> tuple[bytes, str]:
    operation = rng.choice(("bytes",) * 3 + ("members",) * 4 + ("joined", "header", "pax"))
    if operation == "bytes":
        return mutate_bytes(content, rng), operation
    if operation == "joined":
        return content + rng.choice((content, content[:700], bytes(5000))), operation
    if operation == "header":
        # A length or a number of the first header, with its checksum put right
        header = bytearray(content[:512])
        start, size = rng.choice(((100, 8), (108, 8), (124, 12), (136, 12), (156, 1), (157, 100), (257, 8)))
        header[start : start + size] = rng.choice((
            b"7" * size, b"\0" * size, b"\xff" * size, b"-" * size, (b"\x80" + b"\xff" * size)[:size],
        ))
        header[148:156] = b" " * 8
        header[148:156] = f"{sum(header):06o}\0 ".encode()
        return bytes(header) + content[512:], operation
    result = io.BytesIO()
    form = rng.choice((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT))
    with tarfile.open(fileobj=result, mode="w", format=form) as target, tarfile.open(fileobj=io.BytesIO(content)) as old:
        for member in old:
            data = old.extractfile(member).read()
            if rng.random() < 0.5:
                member.name = rng.choice((
                    "../../outside.jpg", str(traps.canary.with_suffix(".jpg")), "a/../../b.jpg", "\udcff.jpg",
                    "a\nb.jpg", "x" * 90 + ".jpg", ".jpg", "0.jpg", "a", "=1.jpg",
                ))
            if rng.random() < 0.3:
                member.type = rng.choice((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE,
                                          tarfile.CHRTYPE, b"Z"))
                member.linkname = rng.choice((str(traps.secret), "../secret", "0.jpg", "/dev/zero"))
            if operation == "pax":
                member.pax_headers = {rng.choice(("size", "path", "mtime", "GNU.sparse.map", "GNU.sparse.size")):
                                      rng.choice(("-1", "9" * 30, "x", "", "0,1"))}
            if rng.random() < 0.3:
                data = mutate_bytes(data, rng)
                member.size = len(data)
            try:
                target.addfile(member, io.BytesIO(data))
            except (ValueError, UnicodeError, tarfile.TarError):
                continue  # names that this form cannot hold
    return result.getvalue(), operation


EPS = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 50 50
%%EndComments
(canary) print showpage
%%EOF
"""


def image(content: bytes, rng: random.Random, traps: Traps) -> tuple[bytes, str]:
    operation = rng.choice(("bytes",) * 8 + ("eps", "vast png", "vast ppm", "text", "svg", "empty", "other"))
    if operation == "bytes":
        return mutate_bytes(content, rng), operation
    if operation == "eps":
        return EPS, "!eps"
    if operation == "vast png":
        header = struct.pack(">II5B", 2**31 - 1 >> rng.randrange(20), 2**31 - 1 >> rng.randrange(20), 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", b"x\x9c") + _chunk(b"IEND", b""), operation
    if operation == "vast ppm":
        return b"P6 %d %d 255\n" % (10 ** rng.randint(3, 12), 10 ** rng.randint(3, 12)) + bytes(1000), operation
    if operation == "text":
        text = _chunk(b"tEXt", b"Comment\0" + b"a" * rng.choice((100, 2 << 20)))
        return content[:33] + text + content[33:], operation
    if operation == "svg":
        return f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{traps.secret}"/></svg>'.encode(), "!svg"
    return (b"", "!empty") if operation == "empty" else (rng.randbytes(500), operation)


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
