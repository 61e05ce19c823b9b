"""A misspelt word of the command line: one line, which names what was meant, and status 2."""

import pytest

from vqapg.cli.main import COMMANDS, main, parse


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("evalute x", "vqapg: error: evalute: there is no such command; did you mean evaluate?"),
        ("qqq", "vqapg: error: qqq: there is no such command; see vqapg --help"),
        ("--vrsion", "vqapg: error: --vrsion: there is no such option; did you mean --version?"),
        ("annotate strat d", "vqapg annotate: error: strat: there is no such step; did you mean"),
        ("sample --kep 3 x", "vqapg sample: error: --kep: there is no such option; did you mean"),
        ("sample --kep=3 x", "vqapg sample: error: --kep: there is no such option; did you mean"),
        # What is missing comes after what is wrong.
        ("evaluate --splti test", "vqapg evaluate: error: --splti: there is no such option;"),
        (
            "annotate start d --pair-s f",
            "vqapg annotate start: error: --pair-s: there is no such option; did you mean --pairs?",
        ),
        (
            "evaluate d --split tset --pairs p --output o",
            "vqapg evaluate: error: --split tset: did you mean test? Give one of train, valid, ",
        ),
        ("evaluate a b --pairs p --output o", "vqapg: error: unrecognized arguments: b"),
    ],
)
def test_one_line_names_what_was_meant(words, told, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words.split())
    assert stop.value.code == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(told) and shown.err.count("\n") == 1 and not shown.out
    assert shown.err.rstrip().endswith("--help")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_an_option_that_there_is_not(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--no-such-option"])
    assert stop.value.code == 2
    told = f"vqapg {command}: error: --no-such-option: there is no such option"
    assert capsys.readouterr().err.startswith(told)


def test_words_that_only_look_like_options_are_taken():
    assert parse(["sample", "x", "--num-s", "3"]).num_samples == 3
    assert parse(["sample", "--question", "--what is it?", "x"]).question == "--what is it?"
    assert parse(["sample", "--html", "a.html", "--", "--kep"]).images == ["--kep"]
    changed = ["settings", "joint", "--preset", "small", "optimization.max_epoch=2"]
    assert parse(changed).changes == ["optimization.max_epoch=2"]


def test_terminal_codes_in_a_word_are_shown_not_obeyed(capsys):
    with pytest.raises(SystemExit):
        main(["sample", "--\x1b[2J"])
    assert "\\x1b[2J" in capsys.readouterr().err
