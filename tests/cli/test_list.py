"""`vqapg list`: the kinds, and what is registered of each."""

import pkgutil

import pytest

from vqapg.cli.list import KINDS, REGISTRIES
from vqapg.cli.main import main


def listed(capsys, *kind):
    assert main(["list", *kind]) == 0
    return [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]


def test_kinds_are_listed_without_an_argument(capsys):
    lines = listed(capsys)
    assert [name for name, _ in lines] == list(KINDS) == [*REGISTRIES, "models"]


@pytest.mark.parametrize("kind", ["backbones", "datasets", "truths"])
def test_each_entry_has_one_line_with_a_summary(capsys, kind):
    registry = pkgutil.resolve_name(REGISTRIES[kind])
    assert listed(capsys, kind) == [[name, summary] for name, summary in registry.entries()]
    assert registry.group == f"vqapg.{kind}"


def test_models_are_the_architectures_of_fairseq(capsys):
    lines = dict(listed(capsys, "models"))
    assert "Table 1, section 4.3" in lines["vqapg_joint_variational"]
    assert "lstm" not in lines and len(lines) == 9


def test_unknown_kind_is_exit_status_2(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["list", "parrots"])
    assert stopped.value.code == 2
    assert "KIND parrots: give one of backbones, " in capsys.readouterr().err
