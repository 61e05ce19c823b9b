"""With which commands a report's missing tables and figures are made."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from vqapg.reports.attention_maps import AttentionRecord
from vqapg.reports.study_record import StudyFile

# STUDY is replaced by the study's folder.
ATTENTION = (
    "vqapg attention DATA IMAGE... --checkpoint CKPT --output STUDY/MODEL/seed-K/attention.json"
)
EVALUATE = "vqapg evaluate DATA --pairs FILE ... --output STUDY/MODEL/seed-K/metrics.json"
FORMED = f"{EVALUATE}, of models that make well-formed pairs"
REJECTED = f"{ATTENTION} --evaluator CKPT, of joint_variational, with a pair that it rejects"
COMMANDS = {
    "Table 2": "ln -s DATA STUDY/data",
    "Table 3": "vqapg check-evaluator DATA --evaluator CKPT --output "
    "STUDY/evaluator/evaluator.json",
    "Table 4": EVALUATE,
    "Table 5": EVALUATE,
    "Table 6": "vqapg annotate score SESSION --output STUDY/human.json, after vqapg annotate start "
    "and serve",
    "Table 7": ATTENTION,
    "Table 8": "vqapg overlap DATA --pairs FILE ... --output "
    "STUDY/downstream/TASK/MODEL/seed-K/metrics.json",
    "Table 9": f"{EVALUATE}, with pycocoevalcap installed",
    "Table 10": "vqapg report --table-10 --output STUDY/parameters.json",
    "Figure 5": f"{EVALUATE}, of a model and the same with -qa",
    "Figure 6": f"{ATTENTION}, of models with region scaling",
    "Figure 7": f"{ATTENTION}, of joint_variational",
    "Figure 8": REJECTED,
}
PLOTTING = 'pip install "vqapg[report]"'


def missing_commands(
    folder: Path,
    file: StudyFile | None,
    written: Iterable[str],
    records: Mapping[str, AttentionRecord],
    *,
    can_plot: bool,
    unreadable: Mapping[str, str],
    both_orders: bool,
) -> dict[str, str]:
    """{name: command} of the tables and figures that are not *written*.

    Args:
        folder: of the study
        file: its study.json; where there is none, the commands are those of vqapg
        written: names of tables and figures
        records: the study's attention records
        can_plot: whether matplotlib is installed
        unreadable: {figure: what keeps its picture from being read}
        both_orders: whether models of Figure 5 were evaluated, which then lack pairs
    """
    place = shlex.quote(str(folder))
    missing = {}
    for name in sorted(set(COMMANDS) - set(written), key=list(COMMANDS).index):
        if name.startswith("Figure") and not can_plot:
            command = PLOTTING
        elif name in unreadable:
            command = f"vqapg report {place} --overwrite, when this is mended: {unreadable[name]}"
        elif name == "Figure 5" and both_orders:
            command = FORMED.replace("STUDY", place)
        elif file is not None and not _needs_people(name, records):
            command = file.command(folder, name.lower().replace(" ", ""))
        else:
            command = COMMANDS[name].replace("STUDY", place)
        missing[name] = command
    return missing


def _needs_people(name: str, records: Mapping[str, AttentionRecord]) -> bool:
    """Whether somebody must judge pairs, or choose other images or models than the study has."""
    if name == "Figure 6":
        return bool(records)
    return name == "Table 6" or (name == "Figure 8" and "joint_variational" in records)
