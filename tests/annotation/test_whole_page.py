import re
from pathlib import Path

import pytest

import vqapg.annotation
from vqapg.annotation.whole_page import SHARED, whole_page

FOLDER = Path(vqapg.annotation.__file__).parent
PAGES = ["page.html", "pair_page.html"]


def elements(page, tag):
    return re.findall(f"<{tag}>\n(.*?)</{tag}>", page, re.DOTALL)


@pytest.mark.parametrize("name", PAGES)
def test_page_has_the_shared_files_before_its_own(name):
    page, own = whole_page(name), (FOLDER / name).read_text()
    for file, tag in SHARED.items():
        assert elements(page, tag) == [(FOLDER / file).read_text(), *elements(own, tag)]
    assert "page_common" not in page and "<link rel" in page and " src=" not in page


@pytest.mark.parametrize("tag", SHARED.values())
def test_no_long_line_stands_in_both_pages(tag):
    first, second = (
        set(elements((FOLDER / name).read_text(), tag)[0].splitlines()) for name in PAGES
    )
    copied = {line for line in first & second if len(line) > 40 and not line.startswith("// ---")}
    assert copied == set()


@pytest.mark.parametrize("name", PAGES)
def test_page_defines_what_the_shared_script_asks_of_it(name):
    page = whole_page(name)
    [hooks] = re.findall(r"startPage\(\{ (.*) \}\)", page)
    asked = set(re.findall(r"\bpage\.(\w+)(\?\.)?\(", (FOLDER / "page_common.js").read_text()))
    defined = set(re.findall(r"^function (\w+)\(", page, re.MULTILINE))
    assert {hook for hook, may_lack in asked if not may_lack} <= set(hooks.split(", "))
    assert set(hooks.split(", ")) <= {hook for hook, _ in asked} & defined
    names = re.findall(r"^(?:async )?function (\w+)\(", page, re.MULTILINE)
    assert len(set(names)) == len(names)
