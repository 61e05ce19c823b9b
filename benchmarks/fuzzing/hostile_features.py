"""Features files made to read elsewhere, or to take all memory.

A label that begins with ``!`` says that the file must be refused.
"""

import random
import tempfile
from pathlib import Path

import h5py
import numpy as np
from fuzzing.mutations import ODD, mutate_bytes
from fuzzing.traps import Traps


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
        (
            "attribute",
            "lost attribute",
            "lost",
            "values",
            "values",
            "kind",
            "shape",
            "vast",
            "external",
            "external",
            "link",
            "soft",
            "virtual",
            "chunked",
            "group",
        )
    )
    if operation == "attribute":
        file.attrs[rng.choice(list(file.attrs))] = rng.choice(
            [value for value in ODD[:18] if value is not None and abs_below(value)]
            + [np.arange(5), np.nan, "a" * 9000]
        )
        return operation
    if operation == "lost attribute":
        del file.attrs[rng.choice(list(file.attrs))]
        return operation
    if operation == "values":
        if name == "ids":
            old[rng.randrange(len(old))] = rng.choice(
                ("", "x", "\n", "../../etc/passwd", old.asstr()[0])
            )
        else:
            old[...] = rng.choice((0, 1, np.nan, np.inf, -1))
        return f"values of {name}"
    del file[name]
    if operation == "kind":
        file[name] = np.zeros(shape, rng.choice(("f8", "i8", "S3", "c16", "f4", "?")))
    elif operation == "shape":
        file[name] = np.zeros(
            rng.choice(((), (0,), (*shape, 1), (shape[0] + 1, *shape[1:]), shape[:1])), "f2"
        )
    elif operation == "vast":
        file.create_dataset(
            name, (10**12, *shape[1:]), "f2" if name == "features" else "f4", chunks=(1, *shape[1:])
        )
    elif operation == "external":
        place = rng.choice(
            (str(traps.secret), "../secret", "none", "../../outside", "/dev/zero", "/etc/passwd")
        )
        size = int(np.prod(shape)) * 8
        numbers = kind if kind.kind == "f" else "u1"
        file.create_dataset(name, shape, numbers, external=[(place, rng.choice((0, 8)), size)])
        return f"!external {name}"
    elif operation == "link":
        file[name] = h5py.ExternalLink(
            rng.choice((str(traps.secret), "features.h5", "none")), rng.choice((name, "/"))
        )
        return f"!link for {name}"
    elif operation == "soft":
        file[name] = h5py.SoftLink(rng.choice((f"/{name}", "/none", "/features", "/ids")))
    elif operation == "virtual":
        layout = h5py.VirtualLayout(shape, kind if kind.kind == "f" else "f4")
        layout[...] = h5py.VirtualSource(str(traps.secret), "x", shape)
        file.create_virtual_dataset(name, layout)
        return f"!virtual {name}"
    elif operation == "chunked":
        file.create_dataset(
            name, shape, kind if kind.kind == "f" else "f4", chunks=True, compression="gzip"
        )
    elif operation == "group":
        file.create_group(name)
    return f"{operation} {name}"


def abs_below(value):
    """Whether HDF5 has a type for *value*."""
    return not isinstance(value, (int, float)) or abs(value) < 2**63 or value != value
