"""OUTPUT as a folder of parts, which many machines write and Spark and pandas read as one table.

    pairs.parquet/part-00000-of-00003.parquet   the pairs of the first part
    pairs.parquet/_vqapg/run.json               what the run makes
    pairs.parquet/_vqapg/00000.json             what came of the first part: it is done
    pairs.parquet/_vqapg/counts.json            the sum of all: the run is done

A file appears under its name when it is whole, first the pairs, then what came of them. So a part
that was cut short is made again, with the same pairs. Spark, pandas and pyarrow pass over names
that begin with an underscore.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from vqapg.data.remote_files import (
    file_system,
    files_below_address,
    is_remote,
    kind_of,
    open_remote,
    write_remote,
)
from vqapg.errors import ExistsError, InputError
from vqapg.export.format import Record
from vqapg.export.parquet_table import write_table
from vqapg.files import atomic_write
from vqapg.provenance import KEY, is_provenance, provenance
from vqapg.sampling.journal import difference

ENDINGS = (".jsonl", ".parquet")
RUN, COUNTS = "_vqapg/run.json", "_vqapg/counts.json"
OURS = re.compile(
    r"part-\d+-of-\d+\.(jsonl|parquet)|_vqapg/(run|counts|\d+)\.json|_vqapg/\d+\.html"
)
CURE = "move or delete it yourself, or give another name"


class PartsFolder:
    """The folder *output*, a path or an address, that holds *count* parts.

    Raises:
        InputError: if the ending of *output* is not one of ENDINGS
    """

    def __init__(self, output: str, count: int) -> None:
        self.output, self.count = output.rstrip("/"), count
        name = self.output.partition("?")[0] if is_remote(output) else self.output
        self.ending = next((end for end in ENDINGS if name.endswith(end)), "")
        if not self.ending:
            raise InputError(
                f"--output {output}: --ray writes a folder of parts; "
                f"let its name end in {' or '.join(ENDINGS)}"
            )

    def part_name(self, number: int) -> str:
        """The file of a part's pairs."""
        return f"part-{number:05}-of-{self.count:05}{self.ending}"

    def begin(self, identity: Mapping[str, Any], *, overwrite: bool) -> None:
        """Make the folder ready, or take up what an earlier run finished.

        Args:
            identity: what the run makes; only a run with an equal one is gone on with
            overwrite: begin anew, whatever an earlier run finished

        Raises:
            ExistsError: if it is finished already
            InputError: if something else is there, or the run made something else
        """
        made: dict[str, Any] = json.loads(json.dumps(identity))
        if self._is_file():
            raise InputError(
                f"--output {self.output}: is a file, and --ray writes a folder; give another name"
            )
        names = self.names()
        if names:
            found = self._json(RUN) if RUN in names else None
            foreign = next((name for name in names if not OURS.fullmatch(name)), None)
            if found is None or not is_provenance(found.get(KEY)) or foreign:
                what = (
                    f"holds {foreign}, which vqapg did not write"
                    if foreign and found
                    else ("was not written by vqapg")
                )
                raise InputError(
                    f"--output {self.output}: {what}, and only what vqapg wrote is replaced; {CURE}"
                )
            earlier = {key: value for key, value in found.items() if key != KEY}
            if not overwrite and COUNTS in names:
                raise ExistsError(
                    f"--output {self.output}: is there already; give another name, or --overwrite "
                    "to replace it"
                )
            if not overwrite and earlier == made:
                return
            if not overwrite and any(re.fullmatch(r"_vqapg/\d+\.json", name) for name in names):
                raise InputError(
                    f"--output {self.output}: was left by a run that makes something else "
                    f"({difference(earlier, made)}); run that one again to finish it, give "
                    "another --output, or begin anew: --overwrite"
                )
            # What says that a part is done goes before the part.
            for name in sorted(names, key=lambda name: not name.startswith("_vqapg/")):
                self._delete(name)
        self.write(RUN, _as_json({**made, KEY: provenance(seed=made.get("seed"))}))

    def done(self, number: int) -> dict[str, Any] | None:
        """What came of a part; None where it is not done."""
        return self._json(f"_vqapg/{number:05}.json")

    def finished(self) -> dict[int, dict[str, Any]]:
        """What came of each part that is done, by its number."""
        names = self.names()
        numbers = [number for number in range(self.count) if f"_vqapg/{number:05}.json" in names]
        return {number: came for number in numbers if (came := self.done(number)) is not None}

    def write_part(
        self,
        number: int,
        records: Iterable[Record],
        came: Mapping[str, Any],
        columns: Sequence[str],
    ) -> None:
        """Write the pairs of a part, and then what came of it.

        Args:
            number: of the part
            records: its pairs
            came: what came of it
            columns: of a table without pairs, so that it goes together with the other parts

        Raises:
            RunError: if the disk is full
        """
        file = BytesIO()
        if self.ending == ".parquet":
            write_table(file, records, columns)
        else:
            for record in records:
                line = json.dumps(record, ensure_ascii=False, allow_nan=False)
                file.write(line.encode() + b"\n")
        self.write(self.part_name(number), file.getvalue())
        self.write(f"_vqapg/{number:05}.json", _as_json(came))

    def finish(self, came: Mapping[str, Any]) -> None:
        """Say that all parts are done, and what came of them together."""
        self.write(COUNTS, _as_json({**came, KEY: provenance()}))

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the folder as a whole."""
        if is_remote(self.output):
            write_remote(self.place(name), content)
            return
        path = Path(self.place(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, "wb") as file:
            file.write(content)

    def place(self, name: str) -> str:
        """The path or address of a file of the folder."""
        location, mark, options = self.output.partition("?")
        if not is_remote(self.output):
            return os.path.join(self.output, name)
        return f"{location}/{name}{mark}{options}"

    def names(self) -> set[str]:
        """The files in it. Hidden ones, such as those that are being written, do not count."""
        if is_remote(self.output):
            begin = len(self.output.partition("?")[0]) + 1
            found = files_below_address(self.output)
            files = [file.partition("?")[0][begin:] for file in found]
        else:
            root = Path(self.output)
            files = [
                path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()
            ]
        return {name for name in files if not name.rpartition("/")[2].startswith(".")}

    def _is_file(self) -> bool:
        if is_remote(self.output):
            return kind_of(self.output) == "file"
        return Path(self.output).is_file()

    def _json(self, name: str) -> dict[str, Any] | None:
        try:
            with (
                open_remote(self.place(name))
                if is_remote(self.output)
                else open(self.place(name), "rb") as file
            ):
                content = json.loads(file.read())
        except (OSError, ValueError):
            return None
        return content if isinstance(content, dict) else None

    def _delete(self, name: str) -> None:
        if is_remote(self.output):
            system, path = file_system(self.place(name))
            system.delete_file(path)
        else:
            os.unlink(self.place(name))


def _as_json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, allow_nan=False).encode() + b"\n"
