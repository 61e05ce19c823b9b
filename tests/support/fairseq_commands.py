"""fairseq's command lines in this process, as fairseq's own tests run them.

A process of its own imports PyTorch and fairseq for seconds before it starts. Use one only where
the process is what is tested: kills, signals, start methods of workers, several processes, the
exit status.
"""

import contextlib
import importlib
import io
import logging
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from fairseq import checkpoint_utils
from fairseq.logging import metrics
from fairseq_cli import train
from hydra.core.global_hydra import GlobalHydra

import vqapg.tasks  # noqa: F401  as --user-dir does, which passes over a package that is imported
from vqapg.tasks.one_line_errors import report_errors

REPOSITORY = Path(__file__).resolve().parents[2]


class Finished(NamedTuple):
    """A finished command: the part of :class:`subprocess.CompletedProcess` that tests read."""

    returncode: int
    stdout: str
    stderr: str


def fairseq(command: str, data: Path, *arguments: object, status: int = 0) -> Finished:
    """Runs ``fairseq-COMMAND DATA --user-dir vqapg ARGUMENTS``.

    Args:
        command: ``train``, ``generate`` or ``validate``.
        data: The data directory.
        *arguments: The other words of the command line.
        status: The exit status that it must end with.

    Returns:
        What it printed. The log is in ``stderr``, whichever stream fairseq would take.
    """
    return run(command, data, "--user-dir", REPOSITORY / "vqapg", *arguments, status=status)


def hydra_train(*arguments: object, status: int = 0) -> Finished:
    """Runs ``fairseq-hydra-train common.user_dir=vqapg ARGUMENTS``; see :func:`fairseq`."""
    return run("hydra_train", *arguments, f"common.user_dir={REPOSITORY / 'vqapg'}", status=status)


def run(command: str, *arguments: object, status: int = 0) -> Finished:
    """Runs the function behind ``fairseq-COMMAND`` with these words; see :func:`fairseq`."""
    cli_main = importlib.import_module(f"fairseq_cli.{command}").cli_main
    out, err = io.StringIO(), io.StringIO()
    streams = contextlib.redirect_stdout(out), contextlib.redirect_stderr(err)
    with _state_of_a_new_process(), streams[0], streams[1]:
        sys.argv = [f"fairseq-{command.replace('_', '-')}", *map(str, arguments)]
        logging.getLogger().addHandler(logging.StreamHandler(err))
        report_errors()
        returncode = _exit_status(cli_main)
    assert returncode == status, out.getvalue()[-3000:] + err.getvalue()[-3000:]
    return Finished(returncode, out.getvalue(), err.getvalue())


def _exit_status(cli_main) -> int:
    """The status that Python would end with if *cli_main* were all that it ran."""
    try:
        cli_main()
    except SystemExit as exit:
        return exit.code or 0
    except Exception as error:
        try:
            sys.excepthook(type(error), error, error.__traceback__)
        except SystemExit as exit:
            return exit.code
        return 1
    return 0


@contextlib.contextmanager
def _state_of_a_new_process() -> Iterator[None]:
    """What fairseq and hydra keep in this process is as at a start, and afterwards as it was."""
    root, environment = logging.getLogger(), dict(os.environ)
    before = sys.argv, sys.excepthook, root.handlers[:], root.level
    folder, threads = os.getcwd(), torch.get_num_threads()
    generators = random.getstate(), np.random.get_state(), torch.get_rng_state()
    loggers = [
        (logger, logger.level, logger.disabled)
        for logger in logging.Logger.manager.loggerDict.values()
        if isinstance(logger, logging.Logger)
    ]
    # hydra sets logging up, which closes all handlers of the process and perhaps their streams.
    known = logging._handlerList[:]
    logging._handlerList.clear()
    root.handlers[:] = []
    root.setLevel(logging.INFO)
    sys.excepthook = sys.__excepthook__
    _forget()
    try:
        yield
    finally:
        _forget()
        sys.argv, sys.excepthook, root.handlers[:], level = before
        logging._handlerList[:] = known
        root.setLevel(level)
        for logger, level, disabled in loggers:
            logger.setLevel(level)
            logger.disabled = disabled
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        torch.set_num_threads(threads)
        random.setstate(generators[0])
        np.random.set_state(generators[1])
        torch.set_rng_state(generators[2])


def _forget() -> None:
    # The best figure so far: a second training would take it for its own.
    vars(checkpoint_utils.save_checkpoint).pop("best", None)
    for name in ("best", "num_runs"):
        vars(train.should_stop_early).pop(name, None)
    metrics.reset()
    GlobalHydra.instance().clear()
