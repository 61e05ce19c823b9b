"""Mutations that any file can have: of bytes, of lines, and of what a JSON file holds."""

import copy
import json
import random

ODD = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, -(2**64), 0.5, 1e308,
    float("nan"), float("inf"), "", " ", "x", "a" * 20_000, "\ud800", "\0", "a\nb", "a\tb",
    "../../../etc/passwd", "/dev/zero", "=1+1", "\u202e", "e\u0301",
    [], {}, [[]], [None], {"": None}, {"a": [1, {"b": "c"}]},
)  # fmt: skip
LENGTHS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)


def mutate_bytes(content: bytes, rng: random.Random) -> bytes:
    """One to three changes of *content*: flips, cuts, copies, and numbers that may be lengths."""
    content = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(content) + 1)
        end = min(len(content), place + rng.choice((1, 4, 16, 512, 4096)))
        operation = rng.choice(
            ("flip", "flip", "cut", "delete", "double", "insert", "length", "zero", "move")
        )
        if operation == "flip":
            for _ in range(rng.choice((1, 8, 64))):
                if content:
                    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        elif operation == "cut":
            del content[place:]
        elif operation == "delete":
            del content[place:end]
        elif operation == "double":
            content[place:place] = content[place:end] * rng.choice((1, 2, 50))
        elif operation == "insert":
            content[place:place] = rng.randbytes(rng.choice((1, 8, 300)))
        elif operation == "length":
            size = rng.choice((1, 2, 4, 8))
            number = rng.choice(LENGTHS) & (256**size - 1)
            content[place : place + size] = number.to_bytes(size, rng.choice(("little", "big")))
        elif operation == "zero":
            content[place:end] = bytes(end - place)
        else:
            content[place:end], content[:0] = b"", content[place:end]
    return bytes(content)


def mutate_value(value, rng: random.Random, times: int | None = None):
    """A copy of *value*, of lists and dicts, with one to three of its items changed."""
    value = {"": copy.deepcopy(value)}
    for _ in range(times or rng.randint(1, 3)):
        places = list(_places(value))
        # As often near the top as deep below.
        depth = rng.choice(sorted({depth for depth, _, _ in places}))
        _, parent, key = rng.choice([place for place in places if place[0] == depth])
        operation = rng.choice(("odd", "odd", "lose", "wrap", "double", "swap", "rename", "deep"))
        if operation == "lose" and parent is not value:
            del parent[key]
        elif operation == "wrap":
            parent[key] = rng.choice(([parent[key]], {"x": parent[key]}))
        elif operation == "double" and isinstance(parent[key], list):
            parent[key] = parent[key] * 2
        elif operation == "swap":
            parent[key] = copy.deepcopy(rng.choice(places)[1])
        elif operation == "rename" and isinstance(parent, dict) and parent is not value:
            parent[rng.choice(("", "x", "__class__", str(key).upper()))] = parent.pop(key)
        elif operation == "deep":
            for _ in range(rng.choice((10, 200))):
                parent[key] = [parent[key]]
        else:
            parent[key] = copy.deepcopy(rng.choice(ODD))
    return value[""]


def _places(value, depth=0):
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in keys:
        yield depth, value, key
        yield from _places(value[key], depth + 1)


def mutate_json(content: bytes, rng: random.Random) -> bytes:
    """*content*, a JSON text, with other values, or with what no writer of JSON would write."""
    operation = rng.choice(
        ("value",) * 6 + ("bytes", "bytes", "nested", "digits", "twice", "encoding", "huge")
    )
    if operation == "value":
        return dump(mutate_value(json.loads(content), rng))
    if operation == "bytes":
        return mutate_bytes(content, rng)
    places = [place for place, byte in enumerate(content) if byte in b"[{:,"] or [0]
    place = rng.choice(places) + 1
    if operation == "nested":
        count = rng.choice((100, 2000, 100_000))
        return content[:place] + rng.choice((b"[", b'{"a":')) * count + content[place:]
    if operation == "digits":
        return content[:place] + b"9" * rng.choice((20, 5000, 200_000)) + b"," + content[place:]
    if operation == "twice":
        end = content.find(b",", place) + 1
        return content[:place] + content[place:end] + content[place:]
    if operation == "huge":
        return content[:place] + b'"' + b"a" * 3_000_000 + b'",' + content[place:]
    return rng.choice(
        (
            b"\xef\xbb\xbf" + content,
            content.decode().encode("utf-16"),
            content.replace(b"\n", b"\r\n"),
            b"",
            b"\n",
            content + b"\0",
            content.replace(b"a", b"\xe9"),
            content * 2,
        )
    )


def dump(value) -> bytes:
    """*value* as JSON, with NaN and lone surrogates where it has them."""
    try:
        return json.dumps(value).encode()
    except RecursionError:
        return b"[" * 100_000


def mutate_lines(content: bytes, rng: random.Random, change=mutate_bytes) -> bytes:
    """*content* with one of its lines changed, lost, doubled, or moved."""
    if rng.random() < 0.2:
        return mutate_bytes(content, rng)
    lines = content.split(b"\n")
    place = rng.randrange(len(lines))
    operation = rng.choice(("change", "change", "change", "lose", "double", "move", "long"))
    if operation == "change":
        lines[place] = (
            change(lines[place], rng)
            if lines[place]
            else rng.choice((b"\0", b" ", b"\xff", b"{}", b"[]"))
        )
    elif operation == "lose":
        del lines[place]
    elif operation == "double":
        lines[place:place] = [lines[place]] * rng.choice((1, 100))
    elif operation == "move":
        lines.append(lines.pop(place))
    else:
        lines[place] += b"a" * rng.choice((5000, 3_000_000))
    return b"\n".join(lines)
