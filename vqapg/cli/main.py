"""The ``vqapg`` program: parses, calls the sub-command, turns bad input, or a full disk, into one
line and exit status 2, or 1.
"""

import argparse
import contextlib
import importlib
import io
import logging
import os
import sys
from collections.abc import Sequence

from vqapg.cli.loading_line import announced_loading
from vqapg.cli.parser import OneLineParser
from vqapg.errors import InputError, RunError, printable, shortage
from vqapg.fairseq_package import no_fairseq
from vqapg.files import writing
from vqapg.version import __version__

# Every module has HELP (one line), EXAMPLE, add_arguments(parser) and run(args), and imports
# nothing heavy at its top, so that --help is instant.
COMMANDS = {
    "prepare": "vqapg.cli.prepare",
    "extract-features": "vqapg.cli.extract_features",
    "import-features": "vqapg.cli.import_features",
    "glove": "vqapg.cli.glove",
    "settings": "vqapg.cli.settings",
    "checkpoint": "vqapg.cli.checkpoint",
    "sample": "vqapg.cli.sample",
    "join": "vqapg.cli.join",
    "export": "vqapg.cli.export",
    "evaluate": "vqapg.cli.evaluate",
    "score": "vqapg.cli.score",
    "annotate": "vqapg.cli.annotate",
    "check-evaluator": "vqapg.cli.check_evaluator",
    "round-trip": "vqapg.cli.round_trip",
    "overlap": "vqapg.cli.overlap",
    "list": "vqapg.cli.list",
    "pretraining-data": "vqapg.cli.pretraining_data",
    "attention": "vqapg.cli.attention",
    "report": "vqapg.cli.report",
    "reproduce": "vqapg.cli.reproduce",
    "user-dir": "vqapg.cli.user_dir",
    "configs-dir": "vqapg.cli.configs_dir",
}


def build_parser(chosen: str | None = None) -> argparse.ArgumentParser:
    """The parser of all sub-commands; with *chosen*, only that one has its arguments."""
    parser = OneLineParser(
        prog="vqapg",
        description="Generate diverse and consistent question-answer pairs from images.",
        epilog="Training and generation are stock fairseq: fairseq-train / fairseq-generate "
        "--user-dir $(vqapg user-dir)",
    )
    parser.add_argument("--version", action="version", version=f"vqapg {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module_name in COMMANDS.items():
        module = importlib.import_module(module_name)
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            epilog=f"example:\n  {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        # The flags of prepare are made by readers, which may be other packages'.
        if chosen in (None, name):
            module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sub-command of *argv*, and return the exit status.

    Args:
        argv: the words; None: those that the program was started with. Only then does it say that
            it loads libraries: a caller from Python loads them as it likes.
    """
    # A word that is no command falls to argparse.
    args = parse(sys.argv[1:] if argv is None else argv)
    # Before fairseq is imported: one of its modules would set logging up at the lowest level.
    logging.basicConfig(level=logging.WARNING)
    # A name that is no UTF-8, or that the terminal's encoding lacks, is no reason to stop.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    with announced_loading(args.command) if argv is None else contextlib.nullcontext():
        status = _run(args)
    try:
        print(end="", flush=True)
    except OSError as error:
        status = _output_lost(args, error)
    return status


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments of the sub-command. ``KEY=VALUE`` may also stand behind its options, which
    argparse leaves over.
    """
    parser = build_parser(next((word for word in argv if word in COMMANDS), ""))
    args, left_over = parser.parse_known_args(argv)
    if left_over and not (
        hasattr(args, "changes")
        and all("=" in word and not word.startswith("-") for word in left_over)
    ):
        parser.error(f"unrecognized arguments: {' '.join(left_over)}")
    if left_over:
        args.changes = [*args.changes, *left_over]
    return args


def _run(args: argparse.Namespace) -> int:
    """Call the sub-command; the exit status."""
    try:
        with writing():
            args.run(args)
    except InputError as error:
        print(f"vqapg {args.command}: error: {printable(error)}", file=sys.stderr)
        return 2
    except RunError as error:
        print(f"vqapg {args.command}: failed: {printable(error)}", file=sys.stderr)
        return 1
    except BrokenPipeError as error:
        return _output_lost(args, error)
    except Exception as error:
        missing = no_fairseq(error) if isinstance(error, ModuleNotFoundError) else None
        if missing:
            print(f"vqapg {args.command}: error: {missing}", file=sys.stderr)
            return 2
        if (short := shortage(error)) is not None:
            print(f"vqapg {args.command}: failed: {short}", file=sys.stderr)
            return 1
        # Such as a folder that may not be read.
        if not isinstance(error, OSError) or error.filename is None:
            raise
        said = printable(f"{error.filename}: {error.strerror}")
        print(f"vqapg {args.command}: error: {said}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(
            f"vqapg {args.command}: interrupted" + (f"; {printable(stop)}" if stop.args else ""),
            file=sys.stderr,
        )
        return 130
    return 0


def _output_lost(args: argparse.Namespace, error: OSError) -> int:
    """Tell that nobody takes what is printed, as behind ``| head``; the exit status."""
    said = f"what it prints cannot be written ({error.strerror}); its files are whole"
    print(f"vqapg {args.command}: failed: {said}", file=sys.stderr)
    # Python would try once more at its end, and tell of it in its own words.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


if __name__ == "__main__":
    sys.exit(main())
