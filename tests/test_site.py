"""The site that MkDocs makes of docs/: it is whole, by itself, and links to the files it names."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.xdist import made_once

REPOSITORY = Path(__file__).parent.parent
HOOK = runpy.run_path(str(REPOSITORY / "scripts/mkdocs_links.py"))


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Builds a site. A warning is an error, and no network can be reached."""
    nowhere = "http://127.0.0.1:9"
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", config, "-d", site],
        env=os.environ
        | {"http_proxy": nowhere, "https_proxy": nowhere, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    def make(folder):
        built = build(REPOSITORY / "mkdocs.yml", folder)
        assert built.returncode == 0, built.stderr

    return made_once(tmp_path_factory, "site", make)


def pages(site):
    return {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}


def test_site_loads_nothing_from_elsewhere(site):
    loads = re.compile(r'<(?:script|img)[^>]+src="(?:https?:)?//|<link[^>]+stylesheet[^>]+"https?:')
    assert [path.name for path, text in pages(site).items() if loads.search(text)] == []


def test_site_has_the_files_that_pages_link_to(site):
    text = (site / "how-it-works.html").read_text(encoding="utf-8")
    [target] = re.findall(r'href="([^"]+latent\.py[^"]*)"', text)
    assert "kl_divergence" in (site / target).read_text(encoding="utf-8")


def test_every_link_of_the_site_leads_to_a_file(site):
    for path, text in pages(site).items():
        if path.name == "404.html":  # its links begin at the root of a server
            continue
        for link in re.findall(r'(?:href|src)="([^"#:]+)(?:#[^"]*)?"', text):
            assert (path.parent / link).exists(), f"{path.relative_to(site)}: {link}"


def test_python_page_has_the_docstrings(site):
    text = (site / "python.html").read_text(encoding="utf-8")
    for name in ("visual_dependence", "min_consistency", "region_weights", "pairs_per_image"):
        assert name in text
    # Sphinx's roles mean nothing here.
    assert re.findall(r":(?:class|func|meth):", text) == []


@pytest.mark.parametrize(
    "page, target, path, source",
    [
        ("a.md", "b.md", "docs/b.md", "b.md"),
        ("extend/a.md", "../b.md", "docs/b.md", "b.md"),
        ("a.md", "../vqapg/b.py", "vqapg/b.py", "repository/vqapg/b.py.md"),
        ("a.md", "../LICENSE", "LICENSE", "repository/LICENSE.md"),
        ("extend/a.md", "../../README.md", "README.md", "repository/README.md"),
        ("repository/README.md", "docs/a.md", "docs/a.md", "a.md"),
        ("repository/README.md", "docs/a.png", "docs/a.png", "a.png"),
        ("repository/benchmarks/a.md", "b.md", "benchmarks/b.md", "repository/benchmarks/b.md"),
    ],
)
def test_a_link_finds_its_file_and_its_page(page, target, path, source):
    assert HOOK["path_in_repository"](page, target) == path
    assert HOOK["page_of"](path) == source


@pytest.mark.parametrize(
    "link, message",
    [
        ("../none.py", "index.md: the link to ../none.py leads to no file"),
        ("../code.py#none", "does not contain an anchor '#none'"),
        ("none.md", "'none.md', but the target is not found"),
    ],
)
def test_a_broken_link_fails_the_build(tmp_path, link, message):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text(f"# A page\n\n[text]({link})\n")
    (tmp_path / "code.py").write_text("ONE = 1\n")
    (tmp_path / "mkdocs.yml").write_text(
        f"site_name: a site\nhooks: [{REPOSITORY / 'scripts/mkdocs_links.py'}]\n"
        "validation: {anchors: warn}\nnot_in_nav: /repository/\n"
    )
    built = build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert built.returncode != 0 and message in built.stderr
