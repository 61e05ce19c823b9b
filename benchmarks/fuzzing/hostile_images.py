"""Images and tar shards made to run code, to read or write elsewhere, or to take all memory.

A label that begins with ``!`` says that the file must be refused.
"""

import io
import random
import struct
import tarfile
import zlib

from fuzzing.mutations import mutate_bytes
from fuzzing.traps import Traps


def shard(content: bytes, rng: random.Random, traps: Traps) -> tuple[bytes, str]:
    operation = rng.choice(("bytes",) * 3 + ("members",) * 4 + ("joined", "header", "pax"))
    if operation == "bytes":
        return mutate_bytes(content, rng), operation
    if operation == "joined":
        return content + rng.choice((content, content[:700], bytes(5000))), operation
    if operation == "header":
        # A length or a number of the first header, with its checksum put right
        header = bytearray(content[:512])
        start, size = rng.choice(
            ((100, 8), (108, 8), (124, 12), (136, 12), (156, 1), (157, 100), (257, 8))
        )
        header[start : start + size] = rng.choice(
            (
                b"7" * size,
                b"\0" * size,
                b"\xff" * size,
                b"-" * size,
                (b"\x80" + b"\xff" * size)[:size],
            )
        )
        header[148:156] = b" " * 8
        header[148:156] = f"{sum(header):06o}\0 ".encode()
        return bytes(header) + content[512:], operation
    result = io.BytesIO()
    form = rng.choice((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT))
    with (
        tarfile.open(fileobj=result, mode="w", format=form) as target,
        tarfile.open(fileobj=io.BytesIO(content)) as old,
    ):
        for member in old:
            data = old.extractfile(member).read()
            if rng.random() < 0.5:
                member.name = rng.choice(
                    (
                        "../../outside.jpg",
                        str(traps.canary.with_suffix(".jpg")),
                        "a/../../b.jpg",
                        "\udcff.jpg",
                        "a\nb.jpg",
                        "x" * 90 + ".jpg",
                        ".jpg",
                        "0.jpg",
                        "a",
                        "=1.jpg",
                    )
                )
            if rng.random() < 0.3:
                member.type = rng.choice(
                    (
                        tarfile.SYMTYPE,
                        tarfile.LNKTYPE,
                        tarfile.DIRTYPE,
                        tarfile.FIFOTYPE,
                        tarfile.CHRTYPE,
                        b"Z",
                    )
                )
                member.linkname = rng.choice((str(traps.secret), "../secret", "0.jpg", "/dev/zero"))
            if operation == "pax":
                member.pax_headers = {
                    rng.choice(
                        ("size", "path", "mtime", "GNU.sparse.map", "GNU.sparse.size")
                    ): rng.choice(("-1", "9" * 30, "x", "", "0,1"))
                }
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
    operation = rng.choice(
        ("bytes",) * 8 + ("eps", "vast png", "vast ppm", "text", "svg", "empty", "other")
    )
    if operation == "bytes":
        return mutate_bytes(content, rng), operation
    if operation == "eps":
        return EPS, "!eps"
    if operation == "vast png":
        header = struct.pack(
            ">II5B", 2**31 - 1 >> rng.randrange(20), 2**31 - 1 >> rng.randrange(20), 8, 2, 0, 0, 0
        )
        return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", b"x\x9c") + _chunk(
            b"IEND", b""
        ), operation
    if operation == "vast ppm":
        return b"P6 %d %d 255\n" % (10 ** rng.randint(3, 12), 10 ** rng.randint(3, 12)) + bytes(
            1000
        ), operation
    if operation == "text":
        text = _chunk(b"tEXt", b"Comment\0" + b"a" * rng.choice((100, 2 << 20)))
        return content[:33] + text + content[33:], operation
    if operation == "svg":
        picture = f'<image href="{traps.secret}"/>'
        return f'<svg xmlns="http://www.w3.org/2000/svg">{picture}</svg>'.encode(), "!svg"
    return (b"", "!empty") if operation == "empty" else (rng.randbytes(500), operation)


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
