"""The wheel and the sdist hold all that an installed vqapg reads."""

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import vqapg
from tests.support.xdist import made_once
from vqapg.study.settings import configs_dir

REPOSITORY = Path(__file__).parent.parent
BUILD = """
import sys
from setuptools import build_meta
folder = sys.argv[1]
build_meta.build_sdist(folder)
build_meta.build_wheel(folder)
"""


def build(folder: Path) -> None:
    """Builds both from a copy, as setuptools writes build/ and *.egg-info beside setup.py."""
    copy, ignore = folder / "copy", shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("vqapg", "configs"):
        shutil.copytree(REPOSITORY / name, copy / name, ignore=ignore)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, copy)
    subprocess.run([sys.executable, "-c", BUILD, folder], cwd=copy, check=True, capture_output=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return made_once(tmp_path_factory, "built", build)


@pytest.fixture(scope="module")
def wheel(built):
    [path] = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def sdist(built):
    [path] = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        yield archive


def files_of(folder: str) -> set[str]:
    """Every file of a folder of the repository, but for what Python makes of it."""
    return {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_wheel_holds_every_file_of_package_and_configs(wheel):
    packaged = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert "vqapg/py.typed" in packaged and "vqapg/annotation/page.html" in packaged
    assert packaged == files_of("vqapg") | {f"vqapg/{name}" for name in files_of("configs")}


def test_sdist_holds_every_file_of_package_and_configs(sdist):
    names = {name.partition("/")[2] for name in sdist.getnames()}
    assert "vqapg/export/gallery.html" in names and "configs/joint.yaml" in names
    assert names >= files_of("vqapg") | files_of("configs") | {"pyproject.toml", "setup.py"}


def test_wheel_metadata_are_version_license_and_command(wheel):
    def text(name: str) -> str:
        return wheel.read(f"vqapg-{vqapg.__version__}.dist-info/{name}").decode()

    assert f"\nVersion: {vqapg.__version__}\n" in text("METADATA")
    assert "\nLicense-Expression: MIT\n" in text("METADATA")
    assert "\nRequires-Dist: ve-fairseq==0.12.3\n" in text("METADATA")
    assert "vqapg = vqapg.cli.main:main" in text("entry_points.txt")
    assert text("top_level.txt").split() == ["vqapg"]


def test_extras_are_those_that_the_documentation_names():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert set(project["optional-dependencies"]) == {
        "quickstart", "demo", "glove", "metrics", "heif", "parquet", "ray", "hf", "timm", "report",
        "study", "docs",
        "test",
        "dev",
    }  # fmt: skip


def test_configs_dir_of_checkout_is_its_configs():
    assert configs_dir() == REPOSITORY / "configs"


def test_configs_dir_of_installed_package_is_in_it(monkeypatch, tmp_path):
    (tmp_path / "vqapg/configs").mkdir(parents=True)
    monkeypatch.setattr(vqapg, "__file__", str(tmp_path / "vqapg/__init__.py"))
    assert configs_dir() == tmp_path / "vqapg/configs"
