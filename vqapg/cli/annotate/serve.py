"""``vqapg annotate serve``: the page."""

import argparse

from vqapg.cli.annotate.progress_lines import progress_lines


def serve(args: argparse.Namespace) -> None:
    """Show the page at 127.0.0.1, for any number of annotators; every judgement is saved at once.
    Ctrl-C stops it.

    In a session --for consistency, a third annotator is shown only the pairs on which two
    disagree.
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
        print(progress_lines(session, log.judgements))
