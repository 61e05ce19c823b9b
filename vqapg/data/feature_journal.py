"""How far the extraction of features has come, beside its partial file, so that a killed run can go
on.
"""

from pathlib import Path
from typing import Any

from vqapg.errors import InputError
from vqapg.files import check_readable_file
from vqapg.strict_json import read_json
from vqapg.targets import check_target, our_json, write_json

LARGEST_JOURNAL = 1 << 28  # bytes; it holds a line a skipped image


class FeatureJournal:
    """How many images are safely in the partial file.

    Args:
        path: the journal
        identity: what the run makes; only a run that makes the same goes on
    """

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        self.path = path
        self.identity = identity

    def read(self) -> tuple[int, dict[int, str]]:
        """How many images are done, and what is wrong with those left out among them, by row.

        Raises:
            InputError: for a file that is not ours
        """
        check_target(self.path, our_json, overwrite=True)
        try:
            cure = "move it away"
            content = read_json(check_readable_file(self.path, cure, LARGEST_JOURNAL), cure)
            if content["identity"] == self.identity and type(content["done"]) is int:
                skipped = {int(row): str(error) for row, error in content["skipped"].items()}
                return max(0, content["done"]), skipped
        except (InputError, OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # cut, or of another version: the run begins anew
        return 0, {}

    def write(self, done: int, skipped: dict[int, str]) -> None:
        content = {"identity": self.identity, "done": done, "skipped": skipped}
        write_json(self.path, content, overwrite=True, indent=None)
