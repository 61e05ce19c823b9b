"""Writing folders as a whole: a new one is complete before the old one goes, and no file that is
not ours is deleted.

The new folder is built beside its place, under a hidden working name with a mark in it, and
renamed. A folder that is replaced steps aside first, under a hidden name too. Between these two
renames, for less than a millisecond, nothing has the final name; the next run on that machine puts
the old folder back.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from vqapg.errors import InputError, RunError
from vqapg.files import left_over, working_name, writing
from vqapg.provenance import KEY, provenance
from vqapg.targets import Recogniser, check_target, is_free, our_json

# Hidden, so that datasets.load_dataset passes it over.
MARK = ".vqapg.json"


def our_folder(path: Path) -> str | None:
    """Recognises a folder with our mark, in which every file is listed there."""
    if not path.is_dir() or our_json(path / MARK):
        return "was not written by vqapg"
    listed = json.loads((path / MARK).read_bytes()).get("files")
    return foreign_file(path, filter(_is_text, listed) if isinstance(listed, list) else ())


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def foreign_file(folder: Path, known: Iterable[str]) -> str | None:
    """Names the first file of *folder* that is none of the *known* ones; None where
    there is none.
    """
    known = {MARK, *known}
    for name in files_in(folder):
        if name not in known:
            return f"holds {name}, which vqapg did not write"
    return None


def files_in(folder: Path) -> Iterator[str]:
    """The names of all files below *folder*, and of links and empty folders, relative to it, in
    order.
    """
    for root, folders, files in os.walk(folder):
        folders.sort()
        here = Path(root)
        links = [name for name in folders if (here / name).is_symlink()]
        for name in sorted([*files, *links]):
            yield (here / name).relative_to(folder).as_posix()
        if not files and not folders and here != folder:
            yield here.relative_to(folder).as_posix()


@contextlib.contextmanager
def new_folder(
    path: Path,
    recognise: Recogniser = our_folder,
    *,
    overwrite: bool = False,
    keep_mark: bool = True,
) -> Iterator[Path]:
    """Gives an empty folder to write into; it takes the name *path* only when all went well.

    Args:
        path: there may be an empty folder, or with *overwrite* one that is ours
        recognise: tells whether a folder is ours
        overwrite: replace a folder that is ours
        keep_mark: leave the list of its files in it, for the next run to know it by

    Raises:
        InputError: if *path* is taken, or cannot be written to
        RunError: if the disk is full
    """
    recover(path, recognise)
    check_target(path, recognise, overwrite=overwrite)
    if os.path.ismount(path):
        raise InputError(
            f"{path}: is where a file system is mounted; give the name of a new folder in it"
        )
    partial = working_name(path)
    try:
        with writing(path):
            partial.mkdir(parents=True)
            _write_mark(partial, [])
    except OSError as error:
        raise InputError(
            f"{path}: cannot be made ({error.strerror}); give another place"
        ) from error
    try:
        with writing(path):
            yield partial
            if keep_mark:
                _write_mark(partial, [name for name in files_in(partial) if name != MARK])
            _put_in_place(partial, path, recognise, overwrite=overwrite)
            if not keep_mark:
                (path / MARK).unlink()
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, (InputError, RunError)):
            # A file in the folder is named as the user would look for it.
            raise type(error)(str(error).replace(str(partial), str(path))) from error
        raise


def recover(path: Path, recognise: Recogniser) -> None:
    """Clear up what killed runs on this machine left of the folder *path*, and put back what one
    had moved aside.
    """
    for old in left_over(path, "-old"):
        if not old.is_dir() or recognise(old):
            continue
        if is_free(path):
            os.rename(old, path)
        else:
            _delete(path, old)
    for gone in left_over(path, "-gone"):
        shutil.rmtree(gone, ignore_errors=True)
    for partial in left_over(path):
        if partial.is_dir() and (is_free(partial) or not our_json(partial / MARK)):
            shutil.rmtree(partial)


def _write_mark(folder: Path, files: list[str]) -> None:
    content = {KEY: provenance(), "files": files}
    (folder / MARK).write_text(json.dumps(content, ensure_ascii=False, indent=0), encoding="utf-8")


def _put_in_place(partial: Path, path: Path, recognise: Recogniser, *, overwrite: bool) -> None:
    """Give *partial* the name *path*; what stands there goes afterwards."""
    # Hours may have passed since it was looked at.
    check_target(path, recognise, overwrite=overwrite)
    old = None
    if not is_free(path):
        old = working_name(path, "-old")
        os.rename(path, old)
    try:
        os.rename(partial, path)
    except OSError as error:
        if old is not None and not path.exists():
            os.rename(old, path)
        raise InputError(
            f"{path}: cannot be put in place ({error.strerror}); give another name"
        ) from error
    if old is not None:
        _delete(path, old)


def _delete(path: Path, old: Path) -> None:
    """Delete the folder that *path* was, under a name that tells the next run to go on where this
    one is killed.
    """
    gone = working_name(path, "-gone")
    os.rename(old, gone)
    shutil.rmtree(gone)
