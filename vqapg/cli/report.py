"""Tables in Markdown. Of a study, from stored metrics alone: D, N, P, S and, where it is known, the truth, for every
model with intervals, and which of the paper's claims hold. Or Table 10, the sizes of the models."""

HELP = "print the tables of a study, or the sizes of the models"
EXAMPLE = "vqapg report runs/study-8-epochs --output study.md"


def add_arguments(parser):
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "study", nargs="?", metavar="DIR", help="holds MODEL/seed-K/metrics.json, as scripts/study.sh makes them"
    )
    what.add_argument("--table-10", action="store_true", help="the number of parameters, beside the paper's")
    parser.add_argument("--output", metavar="FILE", help="Markdown file to write, beside printing it")


def run(args):
    from pathlib import Path

    from vqapg.cli.paths import output_file
    from vqapg.files import atomic_write

    from vqapg.reports.study import format_study, metrics_files, read_study

    output = None
    if args.output is not None:
        output = output_file("--output", args.output, metrics_files(Path(args.study)) if args.study else ())
    if args.table_10:
        from vqapg.reports.parameters import format_table_10

        text = format_table_10()
    else:
        text = format_study(read_study(Path(args.study)))
    print(text)
    if output:
        with atomic_write(output) as file:
            file.write(text + "\n")
