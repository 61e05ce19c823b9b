"""The parser of the ``vqapg`` program: what is wrong is one line, with the name that was meant."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from vqapg.did_you_mean import did_you_mean
from vqapg.errors import printable


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line, exit status 2. Its sub-parsers are of this class too."""

    def error(self, message: str) -> NoReturn:
        see = " See" if message.endswith("?") else "; see"
        self.exit(2, f"{self.prog}: error: {printable(message)}{see} {self.prog} --help\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        words = sys.argv[1:] if args is None else list(args)
        self._refuse_unknown_options(words)
        return super().parse_known_args(words, namespace)

    def _refuse_unknown_options(self, words: Sequence[str]) -> None:
        """argparse would tell of a missing argument first, or hand the word to the parser above."""
        known = self._option_string_actions
        for word in words:
            name = word.partition("=")[0]
            # Words behind the sub-command are another parser's. A space: argparse takes it for a
            # value.
            if word == "--" or (self._subparsers is not None and not word.startswith("-")):
                return
            begins = any(option.startswith(name) for option in known)
            if word.startswith("--") and " " not in word and not begins:
                self.error(f"{name}: there is no such option{_guess(name, known)}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        names = [str(choice) for choice in action.choices]
        if isinstance(action, argparse._SubParsersAction):
            told = f"{value}: there is no such {str(action.metavar).lower()}{_guess(value, names)}"
        else:
            asked = "/".join(action.option_strings) or str(action.metavar or action.dest)
            told = f"{asked} {value}: " + did_you_mean(value, names, f"give {_one_of(names)}")
        raise argparse.ArgumentError(None, told)


def _guess(name: str, names: Iterable[str]) -> str:
    guess = did_you_mean(name, names)
    return f"; {guess}" if guess else ""


def _one_of(names: Sequence[str]) -> str:
    return f"one of {', '.join(names)}" if len(names) > 1 else names[0]
