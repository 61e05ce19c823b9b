"""What a checkpoint's ``data.pkl`` would build is read as a plan, before any of it is built.

torch's reader for untrusted files runs no code. A file of a few kilobytes can still keep it busy
without end, or take all memory:

- a tuple of one tuple twice, forty levels deep: its hash visits 2**40 values
- ``bytearray(10**12)``, which torch counts among its safe calls
"""

import argparse
import pickletools
import typing
from collections.abc import Iterable
from typing import BinaryIO

from fairseq.distributed.utils import _TensorPlaceholder
from omegaconf import DictConfig, ListConfig, base, nodes

from vqapg.errors import InputError

# Values and characters, each counted as often as it is referred to.
LARGEST_CONTENT = 64 * 2**20
TENSORS = {"torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter"}
MAPPINGS = {"collections OrderedDict", "collections defaultdict"}
# fairseq makes them without arguments, and fills in their attributes.
OBJECTS = {
    f"{kind.__module__} {kind.__qualname__}"
    for kind in (
        argparse.Namespace,
        DictConfig,
        ListConfig,
        base.ContainerMetadata,
        base.Metadata,
        nodes.AnyNode,
        typing.Any,
        _TensorPlaceholder,
    )
}
PLAIN_OPCODES = {
    *("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "BINFLOAT", "LONG1"),
    *("BINUNICODE", "SHORT_BINSTRING"),
}
EMPTY = {"EMPTY_TUPLE": "tuple", "EMPTY_LIST": "list", "EMPTY_DICT": "dict"}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Value:
    """What an opcode puts on the stack.

    Attributes:
        kind: plain, name, tuple, list, dict, tensor, storage or object
        content: the text of a plain text, or the name of what is called
        weight: one, and a text's characters
        parts: the values in it
        total: the weight of the value and of all that is in it, once known
    """

    __slots__ = ("content", "kind", "parts", "total", "weight")

    def __init__(self, kind: str, content: str = "", parts: Iterable["_Value"] = ()):
        self.kind, self.content, self.parts = kind, content, list(parts)
        self.weight = 1 + len(content)
        self.total: int | None = None


def check_pickle(file: BinaryIO) -> None:
    """Checks that a pickle holds what fairseq writes, and can be visited in reasonable time.

    Args:
        file: the pickle; it is read to its end

    Raises:
        InputError: if it calls what fairseq does not call, has a key that is no text or number,
            refers to itself, or holds too much when nothing in it is shared
    """
    try:
        values = _plan(file)
    except (ValueError, IndexError, KeyError) as error:
        raise InputError(
            "not a whole checkpoint of a vqapg model (its data.pkl is damaged); give another, or"
            " train it anew"
        ) from error
    for value in values:
        _count(value)


def _plan(file: BinaryIO) -> list[_Value]:
    """All values that the opcodes of *file* would make and that hold others."""
    plain, marks, stack, memo, made = _Value("plain"), [], [], {}, []

    def put(value: _Value) -> None:
        stack.append(value)
        made.append(value)

    def popped(count: int) -> list[_Value]:
        if count > len(stack):
            raise IndexError("the stack is empty")
        taken = stack[len(stack) - count :]
        del stack[len(stack) - count :]
        return taken

    for opcode, argument, _ in pickletools.genops(file):
        name = opcode.name
        if name in PLAIN_OPCODES:
            stack.append(_Value("plain", argument) if isinstance(argument, str) else plain)
        elif name in EMPTY:
            put(_Value(EMPTY[name]))
        elif name == "MARK":
            marks.append(stack)
            stack = []
        elif name == "TUPLE":
            parts, stack = stack, marks.pop()
            put(_Value("tuple", parts=parts))
        elif name in TUPLES:
            put(_Value("tuple", parts=popped(TUPLES[name])))
        elif name in ("APPEND", "APPENDS", "SETITEM", "SETITEMS"):
            if name.endswith("S"):
                parts, stack = stack, marks.pop()
            else:
                parts = popped(1 if name == "APPEND" else 2)
            _fill(stack[-1], parts, pairs=name.startswith("SETITEM"))
        elif name == "GLOBAL":
            stack.append(_Value("name", argument))
        elif name in ("REDUCE", "NEWOBJ"):
            put(_call(*popped(2), new=name == "NEWOBJ"))
        elif name == "BUILD":
            (state,) = popped(1)
            _require(state.kind == "dict", "attributes that are no dictionary")
            stack[-1].parts.append(state)
        elif name == "BINPERSID":
            (key,) = popped(1)
            _require(
                key.kind == "tuple" and all(part.kind in ("plain", "name") for part in key.parts),
                "weights without a name",
            )
            stack.append(_Value("storage"))
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name != "PROTO" and name != "STOP":
            _require(False, f"the opcode {name}")
    return made


def _fill(container: _Value, parts: list[_Value], *, pairs: bool) -> None:
    if pairs:
        _require(all(key.kind == "plain" for key in parts[::2]), "a key that is no text or number")
        if len(parts) % 2:
            raise ValueError("a key without a value")
        # OmegaConf's settings know the settings that hold them. Nothing visits them that way.
        parts = [
            part
            for key, value in zip(parts[::2], parts[1::2], strict=True)
            for part in (key, value)
            if not (key.content == "_parent" and part.kind == "object")
        ]
    container.parts += parts


def _call(function: _Value, arguments: _Value, *, new: bool) -> _Value:
    """What a call gives. Raises InputError if fairseq's checkpoints hold no such call."""
    name = function.content if function.kind == "name" else ""
    what = f"a call of {name.replace(' ', '.')[:80]!r}"
    _require(arguments.kind == "tuple", what)
    if new:
        _require(name in OBJECTS and not arguments.parts, what)
        return _Value("object")
    if name in TENSORS:
        return _Value("tensor", parts=[arguments])
    _require(name in MAPPINGS and all(part.kind == "name" for part in arguments.parts), what)
    return _Value("dict")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise InputError(
            f"its data.pkl holds {otherwise}, which fairseq does not write; give another checkpoint"
        )


def _count(value: _Value) -> None:
    """Sets ``total`` of *value* and of all that is in it, without recursion."""
    path = [(value, iter(value.parts))] if value.total is None else []
    value.total = 0 if path else value.total  # 0 marks what is being visited
    while path:
        value, parts = path[-1]
        part = next(parts, None)
        if part is None:
            path.pop()
            value.total = value.weight + sum(part.total for part in value.parts)
            if value.total > LARGEST_CONTENT:
                raise InputError(
                    "holds too much, as it refers to the same parts again and again; give another"
                    " checkpoint"
                )
        elif part.total is None:
            part.total = 0
            path.append((part, iter(part.parts)))
        elif part.total == 0:
            raise InputError("holds a part that contains itself; give another checkpoint")
