"""``vqapg annotate score``: the paper's human evaluation."""

import argparse

from vqapg.cli.annotate.progress_lines import progress_lines


def score(args: argparse.Namespace) -> None:
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
    print(progress_lines(session, judgements))
    print(format_human(figures))
