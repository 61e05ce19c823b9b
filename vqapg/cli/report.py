"""Tables of a study: D, N, P, S and, where it is known, the truth, for every model, with intervals, from stored metrics alone."""

HELP = "print the tables of a study from its stored metrics"
EXAMPLE = "vqapg report runs/study-8-epochs --output study.md"


def add_arguments(parser):
    parser.add_argument("study", metavar="DIR", help="holds MODEL/seed-K/metrics.json, as vqapg evaluate writes them")
    parser.add_argument("--output", metavar="FILE", help="Markdown file to write, beside printing it")


def run(args):
    from pathlib import Path

    from vqapg.cli.paths import output_file
    from vqapg.files import atomic_write
    from vqapg.reports.study import format_study, read_study

    output = output_file("--output", args.output) if args.output is not None else None
    text = format_study(read_study(Path(args.study)))
    print(text)
    if output:
        with atomic_write(output) as file:
            file.write(text + "\n")
