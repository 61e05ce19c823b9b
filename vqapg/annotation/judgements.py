"""What annotators judged: one JSON line a judgement, appended and on the disk before it counts as
saved.

A line is ``{"annotator", "pair", "field", "value", "time"}``; a later line of the same annotator,
pair and field replaces an earlier one. A process killed in the middle of a line leaves its end cut:
that line was never saved.
"""

import datetime
import errno
import fcntl
import json
import os
import threading
from collections.abc import Iterable
from typing import Any

from vqapg.annotation.session import Session
from vqapg.errors import InputError
from vqapg.evaluation.human import FIELDS, NO_OBJECT, SCORES
from vqapg.files import check_readable_file, writing
from vqapg.strict_json import decode, parse_json

# {annotator: {pair id: {field: value}}}, annotators in the order in which they first judged.
Judgements = dict[str, dict[str, dict[str, str]]]
LONGEST_TEXT = 60
# Bytes. A judgement has about 200.
LONGEST_LINE = 10_000
LARGEST_FILE = 256 << 20
# How every line begins.
BEGINNING = b'{"annotator": "'


def annotator_name(text: object) -> str:
    """The name that *text* stands for: single spaces, small letters, so that one person is not two.

    Raises InputError when it is empty, long, or has characters that cannot be seen.
    """
    name = " ".join(text.split()).lower() if isinstance(text, str) else ""
    if not 0 < len(name) <= LONGEST_TEXT or not name.isprintable():
        shown = text[: LONGEST_TEXT + 1] if isinstance(text, str) else type(text).__name__
        raise InputError(f"annotator {shown!r}: give a name of 1 to {LONGEST_TEXT} letters")
    return name


def checked_value(field: str, value: object) -> str:
    """What is stored of *value*. Raises InputError on a value that *field* cannot have."""
    if field not in FIELDS or not isinstance(value, str):
        shown = str(field)[:LONGEST_TEXT]
        raise InputError(f"field {shown!r}: is one of {', '.join(FIELDS)}, with text")
    value = " ".join(value.split())
    if field == "consistency":
        if value not in SCORES:
            shown = value[:LONGEST_TEXT]
            raise InputError(f"consistency {shown!r}: give one of {' '.join(SCORES)}")
        return value
    if not any(map(str.isalnum, value)) and not (field == "object" and value == NO_OBJECT):
        cure = (
            f"type one, or {NO_OBJECT} for no object"
            if field == "object"
            else 'type one, such as "what color"'
        )
        raise InputError(f"{field} {value[:LONGEST_TEXT]!r}: {cure}")
    if len(value) > LONGEST_TEXT or not value.isprintable():
        raise InputError(
            f"{field} {value[:LONGEST_TEXT]!r}...: give at most {LONGEST_TEXT} characters"
        )
    return value


def read_judgements(session: Session) -> Judgements:
    """{annotator: {pair id: {field: value}}}; raises InputError on a broken line that is not the
    last, cut one.
    """
    path = _path(session)
    try:
        if not _check(path):
            return {}
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); free it first") from error
    return _parse(path, content, session)[0]


def judgement_records(session: Session) -> list[dict[str, Any]]:
    """The judgements as they were saved, replaced ones too, after :func:`read_judgements`."""
    path = _path(session)
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


class JudgementLog:
    """The judgements of a session, open for more: a context manager, and one process at a time.

    ``judgements`` is what read_judgements gives, kept up to date. Threads may call ``append`` at
    once. Raises InputError, on entering, when another process has it open or the file is broken.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._pairs = {pair.id for group in session.groups for pair in group.pairs}
        self._lock = threading.Lock()

    def __enter__(self):
        path = _path(self._session)
        try:
            _check(path)
            with writing(path):
                self._file = open(path, "a+b", buffering=0)
        except OSError as error:
            raise InputError(
                f"{path}: cannot be written ({error.strerror}); free it first"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._file.seek(0)
            self.judgements, end = _parse(path, self._file.read(), self._session)
            self._file.truncate(end)
        except BlockingIOError:
            self._file.close()
            raise InputError(
                f"{path}: another vqapg annotate has it open; stop that first"
            ) from None
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *exception):
        with self._lock:
            self._file.close()

    def append(self, annotator: str, pair: str, field: str, value: str) -> str:
        """Save one judgement; when this returns it is on the disk. Returns the value as it was
        stored.

        Raises InputError for what cannot be a judgement, OSError when the disk takes no more; then
        nothing is saved.
        """
        (value,) = self.extend([(annotator, pair, field, value)])
        return value

    def extend(self, judgements: Iterable[tuple[str, str, str, str]]) -> list[str]:
        """Save many at once, [(annotator, pair, field, value), ...]; all or none. As ``append``
        otherwise.
        """
        time = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        records = []
        for annotator, pair, field, value in judgements:
            if pair not in self._pairs:
                shown = str(pair)[:LONGEST_TEXT]
                raise InputError(
                    f"pair {shown!r}: not in this session; take the pairs as they are given"
                )
            name, value = annotator_name(annotator), _value_for(self._session, field, value)
            records.append(
                {"annotator": name, "pair": pair, "field": field, "value": value, "time": time}
            )
        lines = "".join(
            json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n" for record in records
        ).encode()
        with self._lock:
            if self._file.closed:
                raise OSError("the log is closed")
            end = self._file.seek(0, os.SEEK_END)
            try:
                written = self._file.write(lines)
                if written != len(lines):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(self._file.fileno())
            except OSError:
                self._file.truncate(end)
                raise
            for record in records:
                _take(
                    self.judgements,
                    record["annotator"],
                    record["pair"],
                    record["field"],
                    record["value"],
                )
        return [record["value"] for record in records]

    def of(self, annotator: str) -> dict[str, dict[str, str]]:
        """{pair id: {field: value}} of one annotator: a copy, which no other thread changes."""
        return self.copy().get(annotator, {})

    def copy(self) -> Judgements:
        """All judgements, as :func:`read_judgements` gives them: no other thread changes them."""
        with self._lock:
            return {
                name: {pair: dict(fields) for pair, fields in judged.items()}
                for name, judged in self.judgements.items()
            }


def _path(session):
    return session.path / "judgements.jsonl"


def _check(path):
    """Whether the file exists. Raises InputError where it is no ordinary file of bounded size."""
    if not os.path.lexists(path):
        return False
    check_readable_file(path, "move it away", LARGEST_FILE, links=False)
    return True


def _parse(path, content, session):
    """The judgements in *content*, and where its last whole line ends.

    Behind that a killed process may have left a line that was cut.
    """
    pairs = {pair.id for group in session.groups for pair in group.pairs}
    judgements = {}
    *lines, cut = content.split(b"\n")
    cure = "correct or delete the line"
    for number, line in enumerate(lines, start=1):
        where = f"{path}:{number}"
        if len(line) > LONGEST_LINE:
            raise InputError(f"{where}: no judgement (it has {len(line):,} bytes); {cure}")
        record = parse_json(decode(line, where, cure), where, cure)
        try:
            name, pair, field = annotator_name(record["annotator"]), record["pair"], record["field"]
            value = _value_for(session, field, record["value"])
            if pair not in pairs:
                raise InputError(f"pair {str(pair)[:LONGEST_TEXT]!r} is not in the session")
        except (KeyError, TypeError, InputError) as error:
            raise InputError(f"{where}: no judgement ({error}); {cure}") from None
        _take(judgements, name, pair, field, value)
    # What is cut gets removed. So it must be the beginning of a judgement, nothing else.
    if not cut.startswith(BEGINNING[: len(cut)]):
        raise InputError(f"{path}:{len(lines) + 1}: no judgement; {cure}")
    return judgements, len(content) - len(cut)


def _value_for(session, field, value):
    """As checked_value, of a field that the session asks for."""
    value = checked_value(field, value)
    if field not in session.fields:
        raise InputError(f"field {field!r}: this session asks for {', '.join(session.fields)} only")
    return value


def _take(judgements, name, pair, field, value):
    judgements.setdefault(name, {}).setdefault(pair, {})[field] = value
