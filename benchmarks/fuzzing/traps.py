"""What a mutated file may try to reach."""

from pathlib import Path
from typing import NamedTuple


class Traps(NamedTuple):
    """``canary`` appears when code is run. Nobody may read ``secret``. ``bomb`` is a ZIP file."""

    canary: Path
    secret: Path
    bomb: Path
