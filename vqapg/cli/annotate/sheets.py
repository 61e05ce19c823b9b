"""``vqapg annotate sheet`` and ``read-sheet``: judgements by way of a spreadsheet."""

import argparse

from vqapg.cli.annotate.progress_lines import progress_lines


def sheet(args: argparse.Namespace) -> None:
    """Write a CSV sheet with a row for every pair that this annotator is asked about, holding what
    they judged already.
    """
    from vqapg.annotation.judgements import annotator_name, read_judgements
    from vqapg.annotation.session import read_session
    from vqapg.annotation.sheet import WORDS, our_sheet, write_sheet
    from vqapg.annotation.votes import needed_pairs
    from vqapg.cli.paths import output_file

    session = read_session(args.folder)
    name = annotator_name(args.annotator)
    output = output_file(
        "--output", args.output, our_sheet, overwrite=args.overwrite, inputs=session.path.glob("*")
    )
    judgements = read_judgements(session)
    shown = None if session.plan is None else set(needed_pairs(session, judgements, name))
    write_sheet(output, session, name, judgements.get(name, {}), shown)
    marks = (
        "consistency (0 question not answerable, 1 wrong answer, 2 right answer, ? cannot judge)"
        if session.plan is None
        else f"consistency with one of: {', '.join(WORDS)}"
    )
    also = ", question_type and object (- for none)" if "object" in session.fields else ""
    print(
        f"{output}: fill in {marks}{also}; the images are in "
        f"{session.path}; then: vqapg annotate read-sheet {session.path} {output}"
    )


def read_sheets(args: argparse.Namespace) -> None:
    """Save the judgements of filled sheets; rows that are not filled in are left out, so a sheet
    may be read twice.
    """
    from vqapg.annotation.judgements import JudgementLog
    from vqapg.annotation.session import read_session
    from vqapg.annotation.sheet import read_sheet
    from vqapg.counted import counted
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
            f"{counted(len(rows), 'pair')} filled in, {counted(len(new), 'new judgement')} "
            f"saved\n{progress_lines(session, log.judgements)}\n"
            f"next: vqapg annotate {'score' if session.plan is None else 'estimate'} {session.path}"
        )
