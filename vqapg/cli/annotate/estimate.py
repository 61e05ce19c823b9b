"""``vqapg annotate estimate``: how many pairs are right, from what people judged."""

import argparse


def estimate(args: argparse.Namespace) -> None:
    """How many of a file's distinct triples are right, with a 95% interval; of two files, how far
    they differ.

    Beside it stand P, what the judge adds, how many more judgements +-2 points take, and how far
    annotators disagree. It can be asked for at any time: what is missing is told.
    """
    from vqapg.annotation.consistency_estimate import add_to_metrics, estimate_session
    from vqapg.annotation.estimate_summary import format_estimate
    from vqapg.annotation.judgements import read_judgements
    from vqapg.annotation.session import read_session
    from vqapg.cli.paths import input_file, output_file
    from vqapg.targets import our_json, write_json

    session = read_session(args.folder)
    output = None
    if args.output is not None:
        read = [*session.path.glob("*"), *([args.metrics] if args.metrics else [])]
        output = output_file(
            "--output", args.output, our_json, overwrite=args.overwrite, inputs=read
        )
    metrics = None if args.metrics is None else input_file("--metrics", args.metrics)
    figures = estimate_session(session, read_judgements(session))
    # It is checked before anything is written.
    content = None if metrics is None else add_to_metrics(metrics, figures)
    if output is not None:
        write_json(output, figures, overwrite=args.overwrite)
    if metrics is not None and content is not None:
        write_json(metrics, content, overwrite=True)
    print(format_estimate(figures))
