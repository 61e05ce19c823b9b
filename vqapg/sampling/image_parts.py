"""Input in numbered parts: who makes a part, and when, changes nothing in it."""

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from vqapg.data.input_image import InputImage
from vqapg.data.remote_files import is_remote, open_remote
from vqapg.sampling.passed_over import Reason
from vqapg.sampling.shards import Shard, members_of


class Part(NamedTuple):
    """Some of the images, next to each other in the order in which they were named.

    Attributes:
        images: of the part; none where it is a shard
        shard: that is the part
    """

    images: tuple[InputImage, ...] = ()
    shard: Shard | None = None

    @contextmanager
    def open(self, passed_over: Counter[Reason]) -> Iterator[list[InputImage]]:
        """The images; those of a shard are listed now.

        A shard that lies elsewhere is copied first: its members are then read where they lie.

        Raises:
            InputError: if the shard cannot be read
        """
        if self.shard is None:
            yield list(self.images)
        elif not is_remote(self.shard.path):
            yield members_of(self.shard.path, passed_over)
        else:
            with tempfile.TemporaryDirectory(prefix="vqapg-") as folder:
                copy = Path(folder) / "shard.tar"
                with open_remote(self.shard.path) as source, open(copy, "wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                yield members_of(str(copy), passed_over, self.shard.name)


def split_in_parts(found: Sequence[InputImage | Shard], size: int) -> list[Part]:
    """*found* in order: a part a shard, and parts of *size* images between the shards.

    The parts depend on the names alone. So the same input gives the same parts, whatever is done
    already and however many machines there are.
    """
    parts: list[Part] = []
    loose: list[InputImage] = []

    def close() -> None:
        parts.extend(
            Part(images=tuple(loose[start : start + size])) for start in range(0, len(loose), size)
        )
        loose.clear()

    for one in found:
        if isinstance(one, Shard):
            close()
            parts.append(Part(shard=one))
        else:
            loose.append(one)
    close()
    return parts


def digest_of(parts: Sequence[Part]) -> str:
    """Tells one list of parts from another one: SHA-256 of the names in them."""
    digest = hashlib.sha256()
    for part in parts:
        for one in part.images if part.shard is None else [part.shard]:
            digest.update(one.name.encode() + b"\0")
        digest.update(b"\n")
    return digest.hexdigest()
