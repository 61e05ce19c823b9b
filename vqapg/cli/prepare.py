"""Turn a data set into a data directory: tokenised questions and answers, and the dictionary."""

from vqapg.cli.paths import add_overwrite
from vqapg.datasets import DATASETS, Option, Reader, reader
from vqapg.errors import InputError

HELP = "turn a data set into a data directory"
EXAMPLE = "vqapg prepare --dataset easy-vqa --dest data/easy"


def add_arguments(parser):
    readers = _readers()
    parser.add_argument(
        "--dataset",
        required=True,
        metavar="NAME",
        help=f"what to read: {', '.join(DATASETS.names())}, or package.module:READER",
    )
    parser.add_argument(
        "--source",
        metavar="PATH",
        help="; ".join(f"{name}: {chosen.source}" for name, chosen in readers.items()).replace(
            "%", "%%"
        ),
    )
    parser.add_argument("--dest", required=True, metavar="DATA", help="the data directory to write")
    takers: dict[str, dict[str, Option]] = {}
    for name, chosen in readers.items():
        for option in chosen.options:
            takers.setdefault(option.name, {})[name] = option
    for options in takers.values():
        # Read as a text: one flag may be a number for one reader and a word for another.
        flag = next(iter(options.values())).flag
        whole = all(option.type is int for option in options.values())
        parser.add_argument(flag, metavar="N" if whole else "VALUE", help=_help(options))
    add_overwrite(parser)


def _readers() -> dict[str, Reader]:
    """The readers that can be imported. That of a broken package is told of when it
    is asked for.
    """
    readers = {}
    for name in DATASETS.names():
        try:
            readers[name] = reader(name)
        except InputError:
            continue
    return readers


def _help(options: dict[str, Option]) -> str:
    """``vqa2, visual7w: what it does (default: 0)``, and what it does for other readers."""
    names_of: dict[str, list[str]] = {}
    for name, option in options.items():
        default = f"{option.default:,}" if option.type is int else option.default
        told = f" (default: {default})" if default != "" else ""
        names_of.setdefault(f"{option.help}{told}", []).append(name)
    lines = "; ".join(f"{', '.join(names)}: {text}" for text, names in names_of.items())
    return lines.replace("%", "%%")  # which argparse would fill in


def run(args):
    from vqapg.data.prepare import prepare, table2

    options = given_options(args, reader(args.dataset))
    prepared = prepare(args.dataset, args.source, args.dest, options, overwrite=args.overwrite)
    if prepared.done_before:
        print(f"{args.dest} is already done: made from the same source with the same options")
    if prepared.features_removed:
        print(f"removed {args.dest}/features.h5, which was of other images")
    print(table2(prepared.manifest))


def given_options(args, chosen):
    """The options of readers that the command line gives; prepare refuses those of others."""
    parsers = {option.name: option.parse for option in chosen.options}
    names = {option.name for other in _readers().values() for option in other.options}
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    return {name: parsers.get(name, str)(text) for name, text in given.items()}
