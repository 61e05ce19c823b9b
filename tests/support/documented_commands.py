"""The commands of a Markdown page's code blocks, and what the programs' own parsers say of them."""

import re
import shlex
from collections.abc import Iterator

from fairseq import options

from tests.support.fairseq_commands import REPOSITORY
from vqapg.cli.main import build_parser
from vqapg.study.settings import compose, flags, presets

BLOCK = re.compile(r"^```\w*\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
PROGRAMS = re.compile(r"vqapg |fairseq-(train|generate|validate) |bash scripts/|python benchmarks/")
# `$(vqapg settings ...)` within a command
SETTINGS = re.compile(r"\$\(vqapg settings ([^)]*)\)")


def blocks_of_commands(text: str) -> Iterator[list[list[str]]]:
    """Each block's commands as words, without settings of the environment."""
    for block in BLOCK.findall(text):
        found = []
        for line in block.replace("\\\n", " ").splitlines():
            line = re.sub(r"^((\w+=\S+) +)+", "", line)
            if PROGRAMS.match(line):
                line = SETTINGS.sub(lambda inner: shlex.join(settings(inner[1].split())), line)
                found.append(shlex.split(line, comments=True))
        yield found


def settings(words: list[str]) -> list[str]:
    """The flags of fairseq-train that ``vqapg settings WORDS`` prints."""
    given = build_parser().parse_args(["settings", *words])
    return ["--user-dir", "vqapg", *flags(compose(given.model, given.preset))]


def parse(words: list[str]) -> None:
    """Parses a command as its program does, which exits where a flag or a value is none."""
    program, *rest = words
    if program == "vqapg":
        build_parser().parse_args(rest)
    elif program.startswith("fairseq-"):
        parse_stock(program, rest)
    elif program == "bash":
        parse_script(*rest)
    else:
        text = (REPOSITORY / rest[0]).read_text(encoding="utf-8")
        own = rest[: rest.index("--")] if "--" in rest else rest
        unknown = [word for word in own if word.startswith("--") and f'"{word}"' not in text]
        assert unknown == [], f"{rest[0]} has no {unknown}"


def parse_script(script: str, *words: str) -> None:
    assert (REPOSITORY / script).is_file(), script
    if script == "scripts/reproduce.sh":
        build_parser().parse_args(["reproduce", *words])
    elif script == "scripts/train.sh":
        model, data, *more = words
        preset, more = preset_of(more)
        parse_stock("fairseq-train", [data, *flags(compose(model, preset)), *more])
    elif script == "scripts/generate.sh":
        checkpoint, data, output, *more = words
        _, more = preset_of(more)
        known = ["--task", "vqapg", "--path", checkpoint, "--results-path", output]
        parse_stock("fairseq-generate", [data, *known, *more])


def preset_of(words: list[str]) -> tuple[str, list[str]]:
    """The preset that stands before the flags, and the flags."""
    preset = "paper"
    if words[:1] == ["--preset"]:
        _, preset, *words = words
    assert preset in presets(), preset
    return preset, words


def parse_stock(program: str, words: list[str]) -> None:
    parser = {
        "fairseq-train": options.get_training_parser,
        "fairseq-generate": options.get_generation_parser,
        "fairseq-validate": options.get_validation_parser,
    }[program]()
    # The plug-in is imported already, and its folder depends on where the test runs.
    options.parse_args_and_arch(parser, words)
