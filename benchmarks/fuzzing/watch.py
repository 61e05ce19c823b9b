"""What a command did beside its work: programs started, files changed, secrets read, bad output."""

import hashlib
import json
import os
import sys
from pathlib import Path

from fuzzing.traps import Traps

# What libraries ask about the machine
HARMLESS_PROGRAMS = {"uname", "ldconfig", "gcc", "cc", "lscpu", "git", "java", "nvidia-smi", "file"}


def watch(traps: Traps) -> list[tuple[str, str]]:
    """A list that fills with what is done beside: programs started, the secret opened."""
    seen, secret = [], os.path.realpath(traps.secret)

    def audit(event, arguments):
        if event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
            name = os.path.basename(os.fsdecode(arguments[0] or b""))
            if name.split()[:1] and name.split()[0] not in HARMLESS_PROGRAMS:
                seen.append(("code run", f"{event} {arguments[0]!r}"))
        elif (
            event == "open"
            and not isinstance(arguments[0], (int, type(None)))
            and os.path.realpath(os.fsdecode(arguments[0])) == secret
        ):
            seen.append(("secret read", "the secret file was opened"))

    sys.addaudithook(audit)
    return seen


def tree(place: Path) -> dict[str, str]:
    """{path: what is there} of everything but the log."""
    found = {}
    for folder, folders, files in os.walk(place):
        for name in [*folders, *files]:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                found[path] = f"link to {os.readlink(path)}"
            elif os.path.isfile(path) and name not in ("case.log", "bomb.zip", "canary"):
                with open(path, "rb") as file:
                    found[path] = hashlib.file_digest(file, "sha1").hexdigest()
            else:
                found[path] = ""
    return {
        path: content
        for path, content in found.items()
        if not path.endswith(("case.log", "/canary"))
    }


def _refuse(constant):
    raise ValueError(constant)


def bad_outputs(folder: Path, log: str) -> dict[str, str]:
    """Output that is no strict JSON, or holds the secret."""
    what = {"secret read": "the secret stands in the log"} if "SECRET??" in log else {}
    for path in folder.rglob("*"):
        if not path.is_file() or path.is_symlink():
            continue
        content = path.read_bytes()
        if b"SECRET??" in content:
            what["secret read"] = f"the secret stands in {path.name}"
        if path.suffix in (".json", ".jsonl"):
            try:
                for text in content.split(b"\n") if path.suffix == ".jsonl" else [content]:
                    if text:
                        json.loads(text, parse_constant=_refuse)
            except ValueError as error:
                what["bad output"] = f"{path.name}: {error}"
    return what
