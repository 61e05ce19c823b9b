"""A stranger's package, made of the examples in docs/extend/ and the files in my_vqapg/."""

import importlib
import re
import sys
import tomllib
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs/extend"
FILES = Path(__file__).parent / "my_vqapg"
POINTS = {
    "vqapg.judges": {"one-answer": "my_vqapg.judge:OneAnswer"},
}


def blocks(page, language):
    """The code blocks of that language on a page."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """Puts the package ``my_vqapg`` on the path as pip would; nothing in vqapg/ knows of it."""
    root = tmp_path / "site"
    (root / "my_vqapg").mkdir(parents=True)
    for file in FILES.glob("*.py"):
        (root / "my_vqapg" / file.name).write_bytes(file.read_bytes())
    points = {group: dict(entries) for group, entries in POINTS.items()}
    for page in sorted(PAGES.glob("*.md")):
        for code in blocks(page, "python"):
            if named := re.match(r"# (my_vqapg/\w+\.py)\n", code):
                (root / named[1]).write_text(code)
        for table in blocks(page, "toml"):
            for group, entries in tomllib.loads(table)["project"]["entry-points"].items():
                points.setdefault(group, {}).update(entries)
    info = root / "my_vqapg-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-vqapg\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
            for group, entries in points.items()
        )
    )
    monkeypatch.syspath_prepend(root)
    importlib.invalidate_caches()
    yield root
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_vqapg"]:
        del sys.modules[name]
