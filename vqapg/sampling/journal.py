"""What is finished of a run, beside its output: OUTPUT.partial, one line an image, so that a killed run can go on."""

import json
from pathlib import Path

from vqapg.errors import InputError


class Journal:
    """Opened, it holds the entries of an earlier run that was to make the same; entries are added in their order.

    Args:
        path: the file; its folder must be there
        identity: what the run makes, a dict that JSON can hold; only a run with an equal one goes on
        overwrite: begin anew whatever is there

    ``done`` is how many entries it holds. Raises InputError when it is of a run that makes something else.
    """

    def __init__(self, path, identity, overwrite=False):
        self.path = Path(path)
        self.done = 0
        # As it comes back from JSON
        identity = json.loads(json.dumps(identity))
        if overwrite:
            self.path.unlink(missing_ok=True)
        end = self._read(identity) if self.path.exists() else 0
        try:
            self._file = open(self.path, "r+" if end else "w", encoding="utf-8")
            # A line that was cut by a kill or a full disk is of no use.
            self._file.truncate(end)
            self._file.seek(end)
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror}); give another --output") from error
        if not end:
            self._write(identity)

    def add(self, entry):
        """Write *entry*, a dict that JSON can hold, so that it outlives a kill."""
        self._write(entry)
        self.done += 1

    def entries(self):
        """Yields every entry."""
        with open(self.path, encoding="utf-8") as file:
            next(file)
            yield from map(json.loads, file)

    def close(self):
        self._file.close()

    def _write(self, content):
        self._file.write(json.dumps(content, ensure_ascii=False) + "\n")
        self._file.flush()

    def _read(self, identity):
        """Where the last whole line ends, in bytes; 0 where there is none. Counts the entries."""
        end = 0
        with open(self.path, "rb") as file:
            for number, line in enumerate(file):
                if not line.endswith(b"\n"):
                    break
                try:
                    content = json.loads(line)
                except ValueError:
                    break
                if number == 0 and content != identity:
                    raise InputError(
                        f"{self.path}: was left by a run that makes something else ({_difference(content, identity)}); "
                        "run that one again to finish it, or begin anew: --overwrite"
                    )
                end += len(line)
                self.done = number
        return end


def _difference(theirs, ours):
    if not isinstance(theirs, dict):
        return "another format"
    return ", ".join(
        f"{key} {_short(theirs.get(key))}, not {_short(ours.get(key))}"
        for key in dict.fromkeys([*ours, *theirs])
        if theirs.get(key) != ours.get(key)
    )


def _short(value):
    return str(value)[:30]
