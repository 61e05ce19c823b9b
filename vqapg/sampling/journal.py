"""What is finished of a run, beside its output: OUTPUT.partial, one line an image, so that a killed run can go on."""

import contextlib
import fcntl
import json
from pathlib import Path

from vqapg.errors import InputError
from vqapg.files import writing


class Journal:
    """Opened, it holds what an earlier run, that was to make the same, finished; more is added as it is finished.

    Args:
        path: the file; its folder must be there
        identity: what decides, beside the image, about an entry: a dict that JSON can hold; only a run with an equal
            one goes on
        images: list of :class:`~vqapg.sampling.input_image.InputImage`; entries of others are of no account
        overwrite: begin anew whatever is there

    Raises InputError when another run is at work on it, or finished images of something else; RunError when the disk is
    full.
    """

    def __init__(self, path, identity, images, overwrite=False):
        self.path = Path(path)
        self.images = images
        self._entries = {}  # by an image's name: the number of its content, and where its line begins
        try:
            with writing(path):
                self._file = open(self.path, "a+b")
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror}); give another --output") from error
        try:
            self._lock()
            # As it comes back from JSON
            identity = json.loads(json.dumps(identity))
            self._end = 0 if overwrite else self._read(identity)
        except BaseException:
            self._file.close()
            raise
        try:
            with writing(path):
                # A line that was cut by a kill or a full disk is of no use, nor is a beginning with nothing finished.
                self._file.truncate(self._end)
                if not self._end:
                    self._write(identity)
        except BaseException:
            self.close()
            raise

    @property
    def done(self):
        """How many of the images have an entry."""
        return sum(image.name in self._entries for image in self.images)

    def left(self):
        """Those of the images that have no entry, or have changed since."""
        return [image for image in self.images if not self._holds(image)]

    def add(self, entry):
        """Write *entry*, a dict that JSON can hold, with "image", a name, and "number", so that it outlives a kill."""
        begin = self._end
        with writing(self.path):
            self._write(entry)
        self._entries[entry["image"]] = entry["number"], begin

    def entries(self):
        """Yields the entries in the order of the images."""
        with open(self.path, "rb") as file:
            for image in self.images:
                if image.name in self._entries:
                    file.seek(self._entries[image.name][1])
                    yield json.loads(file.readline())

    def close(self):
        """What is finished stays; where nothing is, no file stays."""
        if not self._entries:
            self.path.unlink(missing_ok=True)
        # Workers that read images may outlive this, and hold the lock with it.
        with contextlib.suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_UN)
        # What the disk had no room for is tried again, and was told of before.
        with contextlib.suppress(OSError):
            self._file.close()

    def _lock(self):
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{self.path}: another run is at work on it; wait for it, or give another --output") from None
        except OSError:
            pass  # a file system without locks

    def _write(self, content):
        line = json.dumps(content, ensure_ascii=False).encode() + b"\n"
        self._file.write(line)
        self._file.flush()
        self._end += len(line)

    def _read(self, identity):
        """Take in the entries; where the last whole line ends, in bytes, 0 where nothing is finished."""
        header, end = None, 0
        self._file.seek(0)
        for line in self._file:
            content = _parsed(line)
            if content is None:
                break
            if header is None:
                header = content
            elif header != identity:
                self._refuse(_difference(header, identity))
            else:
                self._entries[content["image"]] = content["number"], end
            end += len(line)
        if self._entries and not self.done:
            self._refuse("other images")
        return end if self._entries else 0

    def _refuse(self, difference):
        raise InputError(
            f"{self.path}: was left by a run that makes something else ({difference}); run that one again to finish it, "
            "give another --output, or begin anew without what it finished: --overwrite"
        )

    def _holds(self, image):
        number, _ = self._entries.get(image.name, (None, None))
        if number is None:
            return False
        try:
            same = image.number() == number
        except InputError:
            same = False
        if not same:
            del self._entries[image.name]
        return same


def holds_finished(path):
    """Whether the journal at *path*, if there is one, has an entry."""
    try:
        with open(path, "rb") as file:
            return len([line for line in (file.readline(), file.readline()) if line.endswith(b"\n")]) == 2
    except FileNotFoundError:
        return False


def _parsed(line):
    """What a line says; None for one that was cut."""
    try:
        return json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None


def _difference(theirs, ours):
    if not isinstance(theirs, dict) or theirs.get("format") != ours["format"]:
        return "of another version of vqapg"
    return ", ".join(_said(key, theirs.get(key), value) for key, value in ours.items() if theirs.get(key) != value)


def _said(key, theirs, ours):
    """How a flag differs. Names of checkpoints hold checksums, which say nothing to a reader."""
    flag = f"--{key.replace('_', '-')}"
    if theirs is None or theirs is False:
        return f"without {flag}"
    if ours is None or ours is False:
        return f"with {flag}"
    if key in ("checkpoint", "evaluator"):
        return f"another {flag}"
    return f"{flag} {theirs}, not {ours}"
