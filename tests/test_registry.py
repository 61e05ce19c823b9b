"""The registry: lazy imports, names that are not there, and what other packages add."""

import sys

import pytest

from vqapg.errors import InputError
from vqapg.registry import Registry

GROUP = "vqapg.parrots"


@pytest.fixture
def registry():
    registry = Registry("parrot", GROUP)
    registry.register("norwegian_blue", "vqapg_test_blue:PARROT", "a blue one")
    registry.register("grey", {"colour": "grey"}, "a grey one")
    registry.register("egg:", "vqapg_test_blue:hatch", "any egg, as egg:NAME")
    return registry


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Puts packages on the path as pip would: a module and its entry points."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(package, points, code=""):
        (tmp_path / f"{package}.py").write_text(code)
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n" + "\n".join(points) + "\n")

    before = set(sys.modules)
    yield install
    for name in set(sys.modules) - before:
        if name.startswith("vqapg_test_"):
            del sys.modules[name]


def test_target_is_imported_only_when_asked_for(registry, installed):
    assert registry.entries()[2] == ("norwegian_blue", "a blue one")
    assert "vqapg_test_blue" not in sys.modules
    installed("vqapg_test_blue", [], "PARROT = 'pining'")
    assert registry.get("norwegian_blue") == "pining"
    assert registry.get("grey") == {"colour": "grey"}


def test_prefix_entry_answers_for_every_name_behind_it(registry, installed):
    installed("vqapg_test_blue", [], "def hatch(): pass")
    assert registry.get("egg:robin").__name__ == "hatch"


@pytest.mark.parametrize(
    "name, words",
    [
        ("norwegian_bleu", "did you mean norwegian_blue?"),
        ("egg", "did you mean egg:?"),
        ("zebra", "no parrot is named 'zebra'; this lists all: vqapg list parrots"),
        ("no_such_package.module:Parrot", "cannot be imported (ModuleNotFoundError"),
        ("sys:no_such_name", "cannot be imported (AttributeError"),
        ("C:\\parrots", "no parrot is named"),
        (":", "no parrot is named"),
        ("", "no parrot is named"),
    ],
)
def test_name_of_none_is_one_line(registry, name, words):
    with pytest.raises(InputError) as caught:
        registry.get(name)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unregistered_thing_is_named_by_its_module(registry):
    assert registry.get("sys:path") is sys.path
    assert registry.get("os.path:join").__name__ == "join"


def test_name_registered_twice_is_an_error(registry):
    with pytest.raises(ValueError, match="grey is registered twice"):
        registry.register("grey", object(), "another grey one")


def test_other_packages_entries_are_listed_and_loaded(registry, installed):
    installed("vqapg_test_aviary", ["macaw = vqapg_test_aviary:MACAW"], "MACAW = 'red'")
    assert registry.names() == ["egg:", "grey", "macaw", "norwegian_blue"]
    assert registry.entries()[2] == ("macaw", "from the package vqapg_test_aviary")
    assert "vqapg_test_aviary" not in sys.modules
    assert registry.get("macaw") == "red"


def test_broken_package_fails_only_when_asked_for(registry, installed):
    installed("vqapg_test_broken", ["ara = vqapg_test_broken:ARA"], "raise RuntimeError('a\\nb')")
    assert registry.get("grey") == {"colour": "grey"}
    assert "ara" in registry.names()
    line = "parrot ara of the package vqapg_test_broken: cannot be imported .RuntimeError: a b."
    with pytest.raises(InputError, match=line):
        registry.get("ara")


def test_our_name_is_not_replaced_by_another_package(registry, installed):
    installed("vqapg_test_cuckoo", ["grey = vqapg_test_cuckoo:GREY"], "GREY = 'cuckoo'")
    assert registry.get("grey") == {"colour": "grey"}


def test_name_of_two_packages_asks_which(registry, installed):
    installed("vqapg_test_one", ["ara = vqapg_test_one:ARA"], "ARA = 1")
    installed("vqapg_test_two", ["ara = vqapg_test_two:ARA"], "ARA = 2")
    with pytest.raises(InputError, match="vqapg_test_one and vqapg_test_two both register"):
        registry.get("ara")
    assert registry.get("vqapg_test_two:ARA") == 2
