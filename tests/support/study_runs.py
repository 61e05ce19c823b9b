"""Studies by the stand-ins of :mod:`tests.support.study_programs`, and what is asked of them."""

import shutil
from pathlib import Path

from tests.support.study_programs import Programs

# One training of each model that Table 4 needs
TABLE_4 = ("easy-vqa", "--preset", "small", "--cpu", "--only", "table4", "--seeds", "1")
RUN = "runs/easy-vqa-small"
# Two parts of either pipeline, four other models, and the evaluator
TRAININGS = 9
EPOCHS = ["1", "2", "3", "4"]


def only(*results: str) -> tuple[str, ...]:
    """The words of ``TABLE_4`` with other results."""
    return (*TABLE_4[:5], *results, *TABLE_4[6:])


def continued(whole: Path, folder: Path) -> Programs:
    """Stand-ins in *folder*, with a copy of the study and of the record in *whole*."""
    programs = Programs(folder)
    shutil.copytree(whole / "runs", folder / "runs", symlinks=True)
    shutil.copy(whole / "record", programs.record)
    return programs


def epochs(programs: Programs) -> dict[str, list[str]]:
    """The epochs that were trained in each folder, in order."""
    found: dict[str, list[str]] = {}
    for line in programs.calls("epoch"):
        _, folder, epoch = line.split()
        found.setdefault(folder, []).append(epoch)
    return found


def assert_whole(programs: Programs) -> None:
    """Every training has all its epochs, none was at work twice at once, and there is a report."""
    assert len(epochs(programs)) == TRAININGS
    assert [sorted(set(of_one)) for of_one in epochs(programs).values()] == [EPOCHS] * TRAININGS
    assert "CLASH" not in programs.calls()
    assert (programs.folder / RUN / "report/report.md").exists()
    for path in (programs.folder / RUN).glob("*/seed-1/final.pt"):
        assert path.read_text() == "4\n"
