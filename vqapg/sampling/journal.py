"""What is finished of a run, beside its output: OUTPUT.partial, one line an image, so that a killed
run can go on.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from vqapg.errors import InputError
from vqapg.files import check_readable_file, writing
from vqapg.locks import Lock
from vqapg.strict_json import decode, parse_json

# The first line says what the run makes, and begins with this.
MARK = b'{"journal": "vqapg sample'


class Journal:
    """Opened, it holds what an earlier run, that was to make the same, finished; more is added as
    it is finished.

    Args:
        path: the file; its folder must be there
        identity: what decides, beside the image, about an entry: a dict that JSON can hold; its
            first key is "journal". Only a run with an equal one goes on
        images: list of :class:`~vqapg.data.input_image.InputImage`; entries of others are of no
            account
        overwrite: begin anew, whatever an earlier run finished

    Raises InputError when another run is at work on it, it holds finished images of something else,
    or the file is not ours; RunError when the disk is full.
    """

    def __init__(
        self, path: str | Path, identity: dict, images: list, overwrite: bool = False
    ) -> None:
        self.path = Path(path)
        self.images = images
        # By an image's name: the number of its content, and where its line begins.
        self._entries = {}
        self._lock = Lock(self.path)
        try:
            check_journal(self.path)
            with writing(path):
                self._file = open(self.path, "a+b")  # noqa: SIM115  close() closes it
        except OSError as error:
            self._lock.release()
            raise InputError(
                f"{path}: cannot be written ({error.strerror}); give another --output"
            ) from error
        except BaseException:
            self._lock.release()
            raise
        try:
            # As it comes back from JSON
            identity = json.loads(json.dumps(identity))
            self._end = 0 if overwrite else self._read(identity)
        except BaseException:
            self._file.close()
            self._lock.release()
            raise
        try:
            with writing(path):
                # A line that was cut by a kill or a full disk is of no use, nor is a beginning with
                # nothing finished.
                self._file.truncate(self._end)
                if not self._end:
                    self._write(identity)
        except BaseException:
            self.close()
            raise

    @property
    def done(self) -> int:
        """How many of the images have an entry."""
        return sum(image.name in self._entries for image in self.images)

    def left(self) -> list:
        """Those of the images that have no entry, or have changed since."""
        return [image for image in self.images if not self._holds(image)]

    def add(self, entry: dict) -> None:
        """Write *entry*, a dict that JSON can hold, with "image", a name, and "number", so that it
        outlives a kill.
        """
        begin = self._end
        with writing(self.path):
            self._write(entry)
        self._entries[entry["image"]] = entry["number"], begin

    def entries(self) -> Iterator[dict]:
        """Yields the entries in the order of the images."""
        with open(self.path, "rb") as file:
            for image in self.images:
                if image.name in self._entries:
                    file.seek(self._entries[image.name][1])
                    yield json.loads(file.readline())

    def remove(self) -> None:
        """Remove the file, whose run has written its output."""
        self._entries = {}
        self.close()

    def close(self) -> None:
        """What is finished stays; where nothing is, no file stays."""
        if self._file.closed:
            return
        if not self._entries:
            self.path.unlink(missing_ok=True)
        # What the disk had no room for is tried again, and was told of before.
        with contextlib.suppress(OSError):
            self._file.close()
        self._lock.release()

    def _write(self, content: dict) -> None:
        line = json.dumps(content, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        self._file.write(line)
        self._file.flush()
        self._end += len(line)

    def _read(self, identity: dict) -> int:
        """Take in the entries; where the last whole line ends, in bytes, 0 where nothing is
        finished.
        """
        header, end = None, 0
        self._file.seek(0)
        for line in self._file:
            content = _parsed(line)
            if content is None:
                break
            if header is None:
                header = content
            elif header != identity:
                self._refuse(difference(header, identity))
            elif type(content.get("image")) is not str or type(content.get("number")) is not int:
                break
            else:
                self._entries[content["image"]] = content["number"], end
            end += len(line)
        if self._entries and not self.done:
            self._refuse("other images")
        return end if self._entries else 0

    def _refuse(self, difference: str) -> None:
        raise InputError(
            f"{self.path}: was left by a run that makes something else ({difference}); run that "
            "one again to finish it, give another --output, or begin anew without what it "
            "finished: --overwrite"
        )

    def _holds(self, image) -> bool:
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


def check_journal(path: Path) -> None:
    """Raises InputError when there is a file at *path* that is no journal of ours, which is never
    written to.
    """
    if not path.exists() and not path.is_symlink():
        return
    check_readable_file(path, "move it away, or give another --output")
    with open(path, "rb") as file:
        head = file.read(len(MARK))
    # A kill while the first line was written leaves a part of it.
    if not MARK.startswith(head):
        raise InputError(
            f"{path}: was not written by vqapg, which keeps there what is finished of a run; move "
            "it away, or give another --output"
        )


def holds_finished(path: Path) -> bool:
    """Whether the journal at *path*, if there is one, has an entry."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        lines = [line for line in (file.readline(), file.readline()) if line.endswith(b"\n")]
    return len(lines) == 2 and lines[0].startswith(MARK)


def _parsed(line: bytes) -> dict | None:
    """What a line says; None for one that was cut."""
    if not line.endswith(b"\n"):
        return None
    try:
        content = parse_json(decode(line, "", ""), "", "")
    except InputError:
        return None
    return content if isinstance(content, dict) else None


def difference(theirs: dict, ours: dict) -> str:
    """How what an earlier run made differs from *ours*, in the words of the command line."""
    if theirs.get("journal") != ours["journal"]:
        return "of another version of vqapg"
    return ", ".join(
        _said(key, theirs.get(key), value)
        for key, value in ours.items()
        if theirs.get(key) != value
    )


def _said(key: str, theirs: object, ours: object) -> str:
    """How a flag differs. Names of checkpoints hold checksums, which say nothing to a reader."""
    flag = f"--{key.replace('_', '-')}"
    if theirs is None or theirs is False:
        return f"without {flag}"
    if ours is None or ours is False:
        return f"with {flag}"
    if key == "images":
        return "other images"
    if key in ("checkpoint", "judge"):
        return f"another {flag}"
    return f"{flag} {theirs}, not {ours}"
