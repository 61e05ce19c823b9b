"""Human evaluation (appendix C of the paper): people judge pairs without knowing which model made
them.

start draws images and pairs; serve shows them on a local page, or sheet and read-sheet go by way of
a spreadsheet; score computes diversity, consistency and agreement.
"""

import argparse

from vqapg.cli.paths import add_overwrite

HELP = "human evaluation: draw pairs, judge them on a local page or a sheet, score"
EXAMPLE = (
    "vqapg annotate start DIR --data DATA --pairs joint=JOINT.txt --pairs "
    "pipeline=PIPELINE.txt --images 50"
)


def add_arguments(parser):
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)

    def add(name, perform, help, example):
        step = steps.add_parser(
            name,
            help=help,
            description=perform.__doc__,
            epilog=f"example:\n  vqapg annotate {name} {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        step.add_argument("folder", metavar="DIR", help="the session's folder")
        step.set_defaults(perform=perform)
        return step

    step = add("start", start, "draw images and pairs", EXAMPLE.partition("start ")[2])
    step.add_argument(
        "--data", required=True, metavar="DATA", help="the data directory that was generated from"
    )
    step.add_argument(
        "--pairs",
        required=True,
        action="append",
        metavar="NAME=FILE",
        help="a model's name and its generate-<split>.txt or JSON lines; once for every model",
    )
    step.add_argument(
        "--images", type=int, default=50, metavar="N", help="default: 50, as in the paper"
    )
    step.add_argument(
        "--seed", type=int, default=1, help="of images, pairs and orders (default: 1)"
    )
    step.add_argument(
        "--split", default="test", choices=("train", "valid", "test"), help="default: test"
    )

    step = add("serve", serve, "show the page on this machine", "DIR")
    step.add_argument(
        "--port", type=int, default=8000, metavar="P", help="default: 8000; 0: any free one"
    )

    step = add("sheet", sheet, "write a sheet to fill in", "DIR --annotator anna --output anna.csv")
    step.add_argument("--annotator", required=True, metavar="NAME", help="who will fill it in")
    step.add_argument("--output", required=True, metavar="FILE", help="CSV file to write")
    add_overwrite(step)

    step = add(
        "read-sheet", read_sheets, "save the judgements of filled sheets", "DIR anna.csv ben.csv"
    )
    step.add_argument("sheets", nargs="+", metavar="SHEET", help="a sheet that was filled in")

    step = add(
        "score", score, "compute diversity, consistency and agreement", "DIR --output human.json"
    )
    step.add_argument("--seed", type=int, default=1, help="of the bootstrap (default: 1)")
    step.add_argument("--output", required=True, metavar="FILE", help="JSON file to write")
    add_overwrite(step)


def run(args):
    args.perform(args)


def start(args):
    """Draw images and, for each model, their pairs.

    Every model has as many pairs of an image, three to ten. Repeats are then left out.
    """
    from vqapg.annotation.drawing import start_session
    from vqapg.errors import InputError

    files = {}
    for given in args.pairs:
        name, _, file = given.partition("=")
        if not name.strip() or not file or name.strip() in files:
            raise InputError(f"--pairs {given}: give NAME=FILE, a name of its own for every model")
        files[name.strip()] = file
    session = start_session(
        args.folder, args.data, files, images=args.images, split=args.split, seed=args.seed
    )
    pairs = sum(len(group.pairs) for group in session.groups)
    print(
        f"{session.path}: {len(session.images)} images, {len(session.groups)} groups, "
        f"{pairs} pairs of {len(files)} models; next: vqapg annotate serve {session.path}"
    )


def serve(args):
    """Show the page at 127.0.0.1, for any number of annotators; every judgement is saved at once.
    Ctrl-C stops it.
    """
    from vqapg.annotation.judgements import JudgementLog
    from vqapg.annotation.server import AnnotationServer
    from vqapg.annotation.session import read_session

    session = read_session(args.folder)
    with JudgementLog(session) as log, AnnotationServer(session, log, args.port) as server:
        print(
            f"{server.url} (Ctrl-C stops; every judgement is saved in {session.path})", flush=True
        )
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
        print(_progress(session, log.judgements))


def sheet(args):
    """Write a CSV sheet with a row for every pair, in this annotator's order, holding what is
    judged already.
    """
    from vqapg.annotation.judgements import annotator_name, read_judgements
    from vqapg.annotation.session import read_session
    from vqapg.annotation.sheet import our_sheet, write_sheet
    from vqapg.cli.paths import output_file

    session = read_session(args.folder)
    name = annotator_name(args.annotator)
    output = output_file(
        "--output", args.output, our_sheet, overwrite=args.overwrite, inputs=session.path.glob("*")
    )
    write_sheet(output, session, name, read_judgements(session).get(name, {}))
    print(
        f"{output}: fill in consistency (0 question not answerable, 1 wrong answer, 2 right "
        "answer, ? cannot judge), question_type and object (- for none); the images are in "
        f"{session.path}; then: vqapg annotate read-sheet {session.path} {output}"
    )


def read_sheets(args):
    """Save the judgements of filled sheets; rows that are not filled in are left out, so a sheet
    may be read twice.
    """
    from vqapg.annotation.judgements import JudgementLog
    from vqapg.annotation.session import read_session
    from vqapg.annotation.sheet import read_sheet
    from vqapg.files import writing

    session = read_session(args.folder)
    # All sheets are read before anything is saved.
    rows = [row for path in args.sheets for row in read_sheet(path, session)]
    with JudgementLog(session) as log:
        before = {name: log.of(name) for name, _, _ in rows}
        new = [
            (name, pair, field, value)
            for name, pair, values in rows
            for field, value in values.items()
            if before[name].get(pair, {}).get(field) != value
        ]
        with writing(session.path):
            log.extend(new)
        print(
            f"{len(rows)} pairs filled in, {len(new)} new judgements "
            f"saved\n{_progress(session, log.judgements)}"
        )


def score(args):
    """Diversity and consistency of every model as appendix C defines them, Krippendorff's alpha,
    Table 6 beside.
    """
    from vqapg.annotation.judgements import read_judgements
    from vqapg.annotation.session import read_session
    from vqapg.annotation.session_figures import session_figures
    from vqapg.cli.paths import output_file
    from vqapg.evaluation.human_summary import format_human
    from vqapg.targets import our_json, write_json

    session = read_session(args.folder)
    judgements = read_judgements(session)
    output = output_file(
        "--output", args.output, our_json, overwrite=args.overwrite, inputs=session.path.glob("*")
    )
    figures = session_figures(session, judgements, seed=args.seed)
    write_json(output, figures, overwrite=args.overwrite)
    print(_progress(session, judgements))
    print(format_human(figures))


def _progress(session, judgements):
    from vqapg.evaluation.human import FIELDS

    pairs = sum(len(group.pairs) for group in session.groups)
    lines = []
    for name, judged in sorted(judgements.items()):
        done = sum(all(field in fields for field in FIELDS) for fields in judged.values())
        lines.append(f"{name}: {done} of {pairs} pairs judged")
    return "\n".join(lines or ["nothing judged yet"])
