"""House rules that no tool checks: what is not yet as it should be may only become less."""

import ast
import re
import tomllib
from pathlib import Path

import yaml

import vqapg

REPOSITORY = Path(__file__).parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
MODULES = sorted((REPOSITORY / "vqapg").rglob("*.py"))

# Each figure is what is left. Lower it with every change that makes it smaller; never raise it.
UNTYPED_FUNCTIONS = 153
LONG_TEST_NAMES = 125
LONG_FILES: set[str] = set()


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]


def is_typed(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    given = function.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    named = [argument for argument in arguments if argument.arg not in ("self", "cls")]
    return function.returns is not None and all(argument.annotation for argument in named)


def test_public_functions_without_types_become_fewer():
    untyped = [
        f"{path.relative_to(REPOSITORY)}:{function.lineno}"
        for path in MODULES
        for function in functions(path)
        if not function.name.startswith("_") and not is_typed(function)
    ]
    assert len(untyped) <= UNTYPED_FUNCTIONS, untyped


def test_names_of_tests_over_60_characters_become_fewer():
    names = [
        function.name
        for path in (REPOSITORY / "tests").rglob("test_*.py")
        for function in functions(path)
        if function.name.startswith("test_") and len(function.name) > 60
    ]
    assert len(names) <= LONG_TEST_NAMES, names


def test_a_file_name_has_one_meaning_outside_cli():
    stems = [p.stem for p in MODULES if p.stem != "__init__" and p.parent.name != "cli"]
    # vqapg/tasks/vqapg.py bears the name of its task.
    assert sorted({stem for stem in stems if stems.count(stem) > 1}) == []


def test_files_over_300_lines_are_the_known_ones():
    long = {
        path.relative_to(REPOSITORY).as_posix()
        for path in MODULES
        if len(path.read_text(encoding="utf-8").splitlines()) > 300
    }
    assert long <= LONG_FILES


def developer_version(name: str) -> str:
    """The version that the dev extra pins."""
    [pin] = [
        requirement.partition("==")[2]
        for requirement in PROJECT["project"]["optional-dependencies"]["dev"]
        if re.match(rf"{name}==", requirement)
    ]
    return pin


def test_pre_commit_has_the_versions_of_the_dev_extra():
    config = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())
    hooks = {hook["id"]: (repo, hook) for repo in config["repos"] for hook in repo["hooks"]}
    for name in ("ruff-check", "ruff-format"):
        assert hooks[name][0]["rev"] == f"v{developer_version('ruff')}"
    _, mypy = hooks["mypy"]
    # It is the one of the environment, which the dev extra makes.
    assert mypy["language"] == "system" and mypy["name"] == f"mypy {developer_version('mypy')}"


def test_workflow_tests_the_python_versions_that_are_supported():
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/ci.yml").read_text())
    for job in ("tests", "wheel"):
        versions = workflow["jobs"][job]["strategy"]["matrix"]["python-version"]
        assert versions == ["3.11", "3.12"]
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.13"


def test_ci_and_workflow_run_the_same_checks():
    checks = ["ruff check .", "ruff format --check .", "mypy", "lint-imports"]
    local = (REPOSITORY / ".ci/run").read_text().splitlines()
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/ci.yml").read_text())
    steps = [step.get("run") for step in workflow["jobs"]["lint"]["steps"]]
    assert [line for line in local if line in checks] == checks
    assert [step for step in steps if step in checks] == checks


def test_citation_has_the_version():
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert citation["version"] == vqapg.__version__
    assert len(citation["preferred-citation"]["authors"]) == 7


def test_issue_templates_have_what_the_forge_asks_for():
    for path in (REPOSITORY / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        template = yaml.safe_load(path.read_text())
        assert {"name", "description", "body"} <= set(template), path.name
        assert all({"type", "attributes"} <= set(part) for part in template["body"]), path.name
