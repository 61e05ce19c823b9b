"""Tables 2 to 10 in Markdown, LaTeX and CSV, the paper's figures beside ours, and Figures 5 to 8 as
PNG and PDF, from the JSON files in a study's folder alone. What is not there is named, with the
command that makes it. Also study.md: every model with every measure and seed, and which of the
paper's claims hold.
Each caption says preset, seeds, device, updates, data and evaluator.
With --table-10 the number of parameters of each model, for Table 10.
"""

from vqapg.cli.paths import add_overwrite

HELP = "write the paper's tables and figures from stored figures"
EXAMPLE = "vqapg report runs/easy-vqa-small --output runs/easy-vqa-small/report"


def add_arguments(parser):
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "study",
        nargs="?",
        metavar="STUDY",
        help="holds MODEL/seed-K/metrics.json and others, as scripts/reproduce.sh makes them",
    )
    what.add_argument("--table-10", action="store_true", help="count the parameters of every model")
    parser.add_argument(
        "--output",
        metavar="PATH",
        help="the folder to write (default: STUDY/report); with --table-10 a JSON file, "
        "STUDY/parameters.json for the report of a study (default: only print Table 10)",
    )
    add_overwrite(parser)


def run(args):
    from pathlib import Path

    if args.table_10:
        _table_10(args.output, args.overwrite)
        return
    from vqapg.cli.paths import output_file
    from vqapg.errors import InputError
    from vqapg.folders import our_folder
    from vqapg.reports.report import write_report

    study = Path(args.study)
    if not study.is_dir():
        raise InputError(
            f"{study}: there is no such folder; give the folder of a study, such as "
            "scripts/reproduce.sh makes"
        )
    output = output_file(
        "--output",
        study / "report" if args.output is None else args.output,
        our_folder,
        overwrite=args.overwrite,
        folder=True,
    )
    report = write_report(study, output, overwrite=args.overwrite)
    for name, files in report.written.items():
        print(f"{name}: {', '.join(files)}")
    for name, command in report.missing.items():
        print(f"{name} is missing; make it with: {command}")
    print(f"All in one: {output / 'report.md'}")


def _table_10(output, overwrite):
    from vqapg.cli.paths import output_file
    from vqapg.targets import our_json, write_json

    path = None
    if output is not None:
        path = output_file("--output", output, our_json, overwrite=overwrite)
    from vqapg.reports.other_tables import table_10
    from vqapg.reports.parameters import count_all

    counts = count_all()
    if path is not None:
        write_json(path, counts, overwrite=overwrite)
    print(table_10(counts, path).markdown())
