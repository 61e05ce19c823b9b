"""The files below a folder, and those of a pattern. Links are followed once each, and loops end."""

import errno
import fnmatch
import glob
import os
import stat
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePath

from vqapg.folders import MARK
from vqapg.sampling.passed_over import Reason
from vqapg.targets import our_json


def files_below(folder: str, passed_over: Counter[Reason]) -> list[str]:
    """Every file below *folder* that is not hidden, by path.

    The folders behind links come last. So a file that can be reached in two ways has its true path.
    A folder that vqapg wrote is passed over, unless it is *folder* itself: its images are copies.

    Args:
        folder: its path, empty for the current one
        passed_over: is added to
    """
    real = os.path.realpath(folder or ".")
    files, visited, folders, links = [], {real}, [(folder, real)], []
    while folders or links:
        if not folders:
            path, real = links.pop(0)
            if real in visited:
                passed_over[Reason.FOLDER_AGAIN] += 1
                continue
            visited.add(real)
            folders.append((path, real))
        path, real = folders.pop()
        if path != folder and written_by_vqapg(path, passed_over):
            continue
        try:
            with os.scandir(path or ".") as entries:
                entries = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            passed_over[Reason.UNREADABLE_FOLDER] += 1
            continue
        for entry in entries:
            below = os.path.join(path, entry.name)
            if entry.name.startswith("."):
                passed_over[Reason.HIDDEN] += 1
            elif entry.is_symlink():
                if not os.path.isdir(below):
                    files += [below] if ordinary(below, passed_over) else []
                    continue
                target = os.path.realpath(below)
                if os.path.commonpath([target, real]) == target:
                    passed_over[Reason.LOOP] += 1
                else:
                    links.append((below, target))
            elif entry.is_dir(follow_symlinks=False):
                target = os.path.join(real, entry.name)
                if target not in visited:
                    visited.add(target)
                    folders.append((below, target))
            elif entry.is_file(follow_symlinks=False):
                files.append(below)
            else:
                passed_over[Reason.SPECIAL] += 1
    return sorted(files)


def written_by_vqapg(folder: str, passed_over: Counter[Reason]) -> bool:
    """Whether *folder* carries the mark of vqapg's own folders; one that does is counted."""
    mark = Path(folder) / MARK
    found = mark.is_file() and our_json(mark) is None
    passed_over[Reason.OUR_FOLDER] += found
    return found


def ordinary(path: str, passed_over: Counter[Reason]) -> bool:
    """Whether *path* can be read without waiting for ever, or is missing, which reading tells."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            passed_over[Reason.LOOP] += 1
        return error.errno != errno.ELOOP
    if not stat.S_ISREG(mode):
        passed_over[Reason.SPECIAL] += 1
    return stat.S_ISREG(mode)


def matches(pattern: str, passed_over: Counter[Reason]) -> list[str]:
    """The files and folders that a glob *pattern* names, by path; for ``**`` the files below them.

    ``glob`` follows a link back to its own folder forty times, and two such links practically for
    ever.
    """
    parts = PurePath(pattern).parts
    if "**" not in parts:
        return sorted(glob.glob(pattern))
    place = parts.index("**")
    base, wanted = str(PurePath(*parts[:place])) if place else "", parts[place:]
    found = []
    for folder in sorted(glob.glob(base)) if glob.has_magic(base) else [base]:
        counted = Counter()
        for file in files_below(folder, counted):
            below = PurePath(os.path.relpath(file, folder or ".")).parts
            if any(names(wanted, below[:depth]) for depth in range(len(below) + 1)):
                found.append(file)
        # A pattern does not name what is hidden.
        passed_over.update(counted - Counter({Reason.HIDDEN: counted[Reason.HIDDEN]}))
    return found


def names(wanted: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether the parts of a pattern, *wanted*, name a path of *parts*.

    ``**`` stands for any number of parts.
    """
    if not wanted:
        return not parts
    if wanted[0] == "**":
        return any(names(wanted[1:], parts[start:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], wanted[0]) and names(wanted[1:], parts[1:])
