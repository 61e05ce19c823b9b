"""A hook of MkDocs: pages link to files outside docs/, as GitHub reads them, and the site has them.

A Markdown file becomes a page at its own path, and any other file a page of its text. So the site
is whole by itself, and `mkdocs build --strict` checks every link and anchor of it.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

# The target of `[text](target)`, without an anchor; an address has a colon, which no file has.
TARGET = re.compile(r"(?<=\]\()([^)#:\s]+)(?=[)#])")
# Where files from outside docs/ are, among the pages.
OUTSIDE = "repository"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what pages link to outside docs/, and what is linked from there."""
    root = Path(config.config_file_path).parent
    queue = [file for file in files if file.src_uri.endswith(".md")]
    while queue:
        page = queue.pop()
        for target in TARGET.findall(page.content_string):
            path = path_in_repository(page.src_uri, target)
            source = page_of(path)
            if path.startswith("docs/") or files.get_file_from_path(source):
                continue
            if not (root / path).is_file():
                raise PluginError(f"{page.src_uri}: the link to {target} leads to no file")
            added = File.generated(config, source, content=text_of(root / path))
            files.append(added)
            if path.endswith(".md"):
                queue.append(added)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lets links lead to where the site has their files."""
    source = page.file.src_uri

    def rewritten(link: re.Match[str]) -> str:
        wanted = page_of(path_in_repository(source, link[0]))
        return posixpath.relpath(wanted, posixpath.dirname(source) or ".")

    return TARGET.sub(rewritten, markdown)


def path_in_repository(source: str, target: str) -> str:
    """The file of the repository that *target*, a link of the page *source*, leads to."""
    inside = f"{OUTSIDE}/"
    page = source.removeprefix(inside) if source.startswith(inside) else f"docs/{source}"
    page = page.removesuffix(".md") if page.endswith(".py.md") else page
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), target))


def page_of(path: str) -> str:
    """The source of the page that has the file *path* of the repository."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path.endswith((".md", ".png")):
        return f"{OUTSIDE}/{path}"
    return f"{OUTSIDE}/{path}.md"


def text_of(path: Path) -> str | bytes:
    """What the page of a file shows: Markdown as it is, other text as a block of code."""
    if path.suffix == ".png":
        return path.read_bytes()
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    languages = {".py": "python", ".yaml": "yaml", ".sh": "bash", ".json": "json"}
    # Ten tildes: no file has so many.
    fence, language = "~" * 10, languages.get(path.suffix, "")
    return f"# {path.name}\n\n{fence}{language}\n{text}\n{fence}\n"
