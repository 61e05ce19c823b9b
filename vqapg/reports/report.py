"""The report of a study's folder: Tables 2 to 10 and Figures 5 to 8, from the JSON files in it and
nothing else.

``study.json``; ``data/manifest.json``; ``evaluator*/evaluator.json`` and ``trained.json``;
``MODEL/seed-K/metrics.json``, ``attention.json`` and ``trained.json``; ``human.json``;
``downstream/TASK/MODEL/seed-K/metrics.json`` and ``trained.json``; ``parameters.json``. What is not
there is named, with the command that makes it.
"""

import importlib.util
import re
from pathlib import Path, PurePath
from typing import NamedTuple

from tqdm import tqdm

from vqapg.data.directory import read_manifest
from vqapg.errors import InputError
from vqapg.files import atomic_write
from vqapg.folders import new_folder
from vqapg.reports import model_tables, other_tables
from vqapg.reports.attention_maps import attention_records
from vqapg.reports.conditions import StudyConditions
from vqapg.reports.downstream_table import table_8
from vqapg.reports.figure_captions import captions
from vqapg.reports.generation_order import runs_shown
from vqapg.reports.missing import missing_commands
from vqapg.reports.stored import read_json
from vqapg.reports.study import format_study, read_study

STUDY = "give the folder of a study, such as scripts/reproduce.sh makes"


class Report(NamedTuple):
    """What was written, {name: files' names}, and what is missing, {name: the command that makes
    it}.
    """

    written: dict[str, list[str]]
    missing: dict[str, str]


def write_report(folder: Path, output: Path, *, overwrite: bool = False) -> Report:
    """Read the study in *folder* and write its report, the folder *output*.

    Raises:
        InputError: if there is no such folder, nothing in it is to be reported, a file of it is not
            what it should be, or *output* exists and may not be replaced, see :mod:`vqapg.targets`
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; {STUDY}")
    study, records = read_study(folder), attention_records(folder)
    manifest = read_manifest(folder / "data")
    conditions = StudyConditions(folder, manifest)
    tables = _tables(folder, study, records, manifest, conditions)
    if not tables:
        raise InputError(
            f"{folder}: holds nothing to report, such as MODEL/seed-K/metrics.json; {STUDY}"
        )
    with new_folder(output, overwrite=overwrite) as partial:
        written = {name: _write_table(table, partial) for name, table in tables.items()}
        can_plot = importlib.util.find_spec("matplotlib") is not None
        under = captions(study, records, conditions)
        unreadable: dict[str, str] = {}
        if can_plot:
            figures, unreadable = _write_figures(study, records, under, partial)
            written |= figures
        name = folder.resolve().name
        if study:
            text = format_study(study, conditions.of_models(study, study))
            _write(partial / "study.md", f"# {name}\n\n{text}\n")
            written["Study"] = ["study.md"]
        missing = missing_commands(
            folder,
            conditions.file,
            written,
            records,
            can_plot=can_plot,
            unreadable=unreadable,
            both_orders=bool(runs_shown(study)),
        )
        _write(partial / "report.md", _index(name, tables, under, written, missing))
    return Report(written, missing)


def _tables(folder, study, records, manifest, conditions):
    """{"Table N": Table} of those whose figures are there, in order."""
    human, parameters = folder / "human.json", folder / "parameters.json"
    tables = (
        other_tables.table_2(manifest, conditions) if manifest else None,
        other_tables.table_3(folder, conditions),
        model_tables.table_4(study, conditions),
        model_tables.table_5(study, conditions),
        other_tables.table_6(human, conditions) if human.exists() else None,
        other_tables.table_7(records, conditions),
        table_8(folder, conditions),
        model_tables.table_9(study, conditions),
        other_tables.table_10(
            read_json(parameters, "make it again with vqapg report --table-10"), parameters
        )
        if parameters.exists()
        else None,
    )
    return {f"Table {table.number}": table for table in tables if table is not None}


def _write_table(table, output):
    names = []
    for ending, content in (("md", table.markdown()), ("tex", table.latex()), ("csv", table.csv())):
        names.append(f"{table.name}.{ending}")
        _write(output / names[-1], content)
    return names


def _write_figures(study, records, under, output):
    """Draws what there is to draw, with captions in the files.

    Args:
        under: {"Figure N": Caption}. What a figure lacks for want of a picture is added to it.

    Returns:
        ({"Figure N": files' names}, {"Figure N": what keeps a picture from being read})
    """
    from matplotlib import pyplot

    written, unreadable = {}, {}
    drawings = list(_drawings(study, records))
    for name, file_name, draw in tqdm(
        drawings, desc="drawing", unit="figure", delay=2, leave=False, disable=None
    ):
        try:
            figure = draw()
        except InputError as error:
            unreadable[name] = str(error)
            under[name] = under[name].without(f"{error}.")
            continue
        if figure is None:
            continue
        caption = f"{name}: {under[name].text()}"
        # The keys of either format for a description. A picture may be passed on without its page.
        for ending, key in (("png", "Description"), ("pdf", "Subject")):
            with atomic_write(output / f"{file_name}.{ending}", "wb") as file:
                figure.savefig(file, format=ending, metadata={key: caption})
            written.setdefault(name, []).append(f"{file_name}.{ending}")
        pyplot.close(figure)
    return written, unreadable


def _drawings(study, records):
    """(figure's name, file's name without ending, function that draws it or returns None)."""
    from vqapg.reports.plots import figure_5, figure_6, figure_7

    yield "Figure 5", "figure5", lambda: figure_5(study)
    images = dict.fromkeys(image for record in records.values() for image in record.images)
    names = _file_names(images)
    for image in images:
        yield "Figure 6", f"figure6-{names[image]}", lambda image=image: figure_6(image, records)
    joint = records.get("joint_variational")
    for image in joint.images if joint else ():
        for figure, pair in zip((7, 8), joint.best_and_worst(image)):
            if pair is not None:
                draw = lambda image=image, pair=pair: figure_7(image, joint, pair)  # noqa: E731
                yield f"Figure {figure}", f"figure{figure}-{names[image]}", draw


def _file_names(images):
    """{image: a part of a file name}: letters, digits and dashes, without ending; a number where
    two would be alike.
    """
    names = {}
    for image in images:
        stem = (
            re.sub(r"[^A-Za-z0-9]+", "-", str(PurePath(image).with_suffix(""))).strip("-")
            or "image"
        )
        taken, number = set(names.values()), 2
        name = stem
        while name in taken:
            name, number = f"{stem}-{number}", number + 1
        names[image] = name
    return names


def _index(title, tables, under, written, missing):
    """report.md: the tables themselves, the figures, and what is missing."""
    parts = [f"# {title}"]
    if "Study" in written:
        parts.append("Every seed, and which of the paper's claims hold: [study.md](study.md).")
    for name, table in tables.items():
        _, *others = written[name]
        links = " ".join(f"[{other}]({other})" for other in others)
        parts.append(f"{table.markdown()}\n{links}")
    for name, files in written.items():
        if name.startswith("Figure"):
            pictures = "\n\n".join(f"![{file}]({file})" for file in files if file.endswith(".png"))
            parts += [f"## {name}: {under[name].title}", under[name].markdown(), pictures]
    if missing:
        parts.append("## Missing")
        parts.append("\n".join(f"- {name}: `{command}`" for name, command in missing.items()))
    return "\n\n".join(parts) + "\n"


def _write(path, content):
    with atomic_write(path) as file:
        file.write(content)
