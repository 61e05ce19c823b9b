"""The word vectors of a dictionary's words, picked out of GloVe's 400,000 (section 5.3).

What is written is a text file as GloVe's, a few megabytes, in the order of ``dict.txt``. Its first
line is our mark and the width, where word2vec has its counts: readers pass over it.
"""

import os
from pathlib import Path
from typing import NamedTuple

from vqapg.data.directory import DataDirectory
from vqapg.data.word_vectors import (
    DEFAULT_DIM,
    PACKAGE,
    Coverage,
    coverage,
    read_vectors,
    vector_width,
)
from vqapg.errors import InputError
from vqapg.files import atomic_write, check_readable_file
from vqapg.targets import VECTORS_MARK, check_target, our_vectors, real_path
from vqapg.tokens import SEPARATOR

OPTION = "--vectors"
URL = "https://nlp.stanford.edu/data/glove.6B.zip"
CURE = f"get it with: curl -LO {URL}"


class Picked(NamedTuple):
    """What was written: the file, the width of its vectors, and how many words have one."""

    path: Path
    width: int
    coverage: Coverage


def pick_vectors(
    data: DataDirectory,
    vectors: str | os.PathLike[str],
    *,
    dim: int | None = None,
    output: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> Picked:
    """Write the vectors of the words of *data*'s dictionary, for ``--embed-path``.

    Args:
        data: the data directory whose dictionary it is
        vectors: a GloVe text file, an archive of such, or a package, as
            :func:`~vqapg.data.word_vectors.read_vectors` takes them
        dim: the width; None: 300 of an archive, else whatever width there is
        output: the file to write; None: ``glove.<width>d.txt`` in the data directory
        overwrite: replace such a file

    Raises:
        InputError: if *vectors* cannot be read, are of another width or another language, or the
            file exists and may not be replaced
    """
    if dim is not None and dim < 2:
        raise InputError(f"--dim {dim}: must be 2 or more; give a greater number")
    counts = dictionary_counts(data)
    chosen = DEFAULT_DIM if dim is None else dim
    width = vector_width(vectors, chosen, cure=CURE, option=OPTION)
    if dim is not None and width != dim:
        raise InputError(
            f"{OPTION} {vectors}: its vectors are {width} wide, not {dim}; "
            f"give another file, or --dim {width}"
        )
    path = _target(data, vectors, width, output)
    check_target(path, our_vectors, overwrite=overwrite)
    found, _ = read_vectors(vectors, counts.keys(), chosen, cure=CURE, option=OPTION)
    if not found:
        raise InputError(
            f"{OPTION} {vectors}: has a vector of no word of {data.dictionary_path}; is it of "
            "another language?"
        )
    # Minutes may have passed since it was looked at.
    check_target(path, our_vectors, overwrite=overwrite)
    with atomic_write(path) as file:
        file.write(f"{VECTORS_MARK.decode()} {width}\n")
        for word in counts:
            if word in found:
                # numpy gives the fewest digits that read back as the same float32.
                file.write(f"{word} {' '.join(map(str, found[word]))}\n")
    return Picked(path, width, coverage(counts, found))


def dictionary_counts(data: DataDirectory) -> dict[str, int]:
    """The words of ``dict.txt`` with their counts in training, without the separator.

    Raises:
        InputError: if a line is no word and count
    """
    path, cure = data.dictionary_path, "run vqapg prepare again, with --overwrite"
    check_readable_file(path, cure)
    try:
        lines = path.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text; {cure}") from error
    counts = {}
    for number, line in enumerate(lines, start=1):
        word, _, count = line.rpartition(" ")
        if not word or not count.isascii() or not count.isdecimal():
            raise InputError(f"{path}:{number}: not a word and its count; {cure}")
        counts[word] = int(count)
    counts.pop(SEPARATOR, None)
    return counts


def _target(
    data: DataDirectory,
    vectors: str | os.PathLike[str],
    width: int,
    output: str | os.PathLike[str] | None,
) -> Path:
    """The file to write, which is not the one that is read."""
    path = real_path(data.path / f"glove.{width}d.txt" if output is None else Path(output))
    if str(vectors) != PACKAGE and path.exists() and path.samefile(vectors):
        raise InputError(f"--output {path}: is the file that is read; give another name")
    return path
