"""The two pages. Each stands in an HTML file of its own, and they share a style and a script.

A page is sent as one text that loads nothing, so the shared files are written into it.
"""

import importlib.resources

# The line of a page that each shared file takes the place of, and the element that it becomes.
SHARED = {"page_common.css": "style", "page_common.js": "script"}


def whole_page(name: str) -> str:
    """The page in the file *name*, with what both pages share in it.

    Raises:
        OSError: if a file cannot be read now
    """
    folder = importlib.resources.files("vqapg.annotation")
    page = (folder / name).read_text(encoding="utf-8")
    for file, tag in SHARED.items():
        content = (folder / file).read_text(encoding="utf-8")
        page = page.replace(f"<!-- {file} -->\n", f"<{tag}>\n{content}</{tag}>\n")
    return page
