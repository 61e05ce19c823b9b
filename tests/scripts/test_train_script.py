"""What scripts/train.sh shows, with a stand-in for fairseq-train."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.support.fairseq_commands import REPOSITORY
from tests.support.train_script import environment_of, put_programs
from vqapg.study.watched_training import next_commands

EPOCHS = """\
import sys, time
head = "2026-11-27 06:00:00 | INFO | "
for epoch in (1, 2):
    print(f"{head}fairseq.trainer | begin training epoch {epoch}", flush=True)
    print(f"{head}valid | epoch {epoch:03d} | valid on 'valid' subset | elbo -3 | kl 0.01")
    print(f"{head}train | epoch {epoch:03d} | loss 4.5", flush=True)
folder = sys.argv[len(sys.argv) - 1 - sys.argv[::-1].index("--save-dir") + 1]
open(folder + "/checkpoint_best.pt", "w").close()
"""
FAILS = "import sys; print('noise'); sys.exit('fairseq-train: error: a.pt: is cut short')"
WAITS = """\
import os, signal, sys, time
print("pid", os.getpid(), flush=True)
def stop(number, frame):
    print("got", number, flush=True)
    sys.exit(3)
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, stop)
time.sleep(120)
"""


@pytest.fixture
def script(tmp_path):
    """start(CODE, [words]) -> the script at work, in a session of its own.

    CODE is that of the program that stands in for fairseq-train.
    """
    data = tmp_path / "DATA"
    data.mkdir()
    (data / "manifest.json").write_text("{}")
    settings = "#!/bin/sh\necho --max-epoch 2 --free-bits-mode paper\n"
    started = []

    def start(code, *words, settings=settings):
        train = f"#!{sys.executable}\n{code}"
        put_programs(tmp_path, {"fairseq-train": train, "vqapg": settings})
        started.append(
            subprocess.Popen(
                ["bash", REPOSITORY / "scripts/train.sh", "joint_variational", "DATA", *words],
                cwd=tmp_path,
                env=environment_of(tmp_path),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
                # Whoever runs the tests in the background has had them pass over Ctrl-C.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def finished(process):
    """(status, lines of stdout, lines of stderr)"""
    out, err = process.communicate(timeout=120)
    return process.returncode, out.splitlines(), err.splitlines()


def test_each_epoch_is_a_line_and_the_rest_is_in_the_log(script, tmp_path):
    status, out, err = finished(script(EPOCHS, "--preset", "small"))
    assert status == 0
    assert out[0] == "Getting ready to train joint_variational on DATA at preset small"
    folder = "runs/joint_variational"
    assert out[1] == f"Training joint_variational. The log is {folder}/train.log"
    assert out[2].startswith("epoch 1 of 2: loss 4.5; on dev ELBO -3.00, KL 0.01")
    assert out[3] == "epoch 2 of 2: loss 4.5; on dev ELBO -3.00, KL 0.01"
    assert out[4:] == [
        f"The model is {folder}/checkpoint_best.pt. Next:",
        f"    bash scripts/generate.sh {folder}/checkpoint_best.pt DATA {folder}/out "
        "--preset small",
        f"    vqapg sample --checkpoint {folder}/checkpoint_best.pt PHOTOS --output pairs.jsonl",
    ]
    [warning] = err
    assert warning.startswith("warning: the latent variable says nothing (KL 0.01 nats). ")
    log = (tmp_path / folder / "train.log").read_text()
    assert "| begin training epoch 2" in log and "fairseq-train --cpu DATA" in log


def test_training_without_epoch_lines_is_told_apart_from_none(script):
    silent = EPOCHS.replace("{head}valid", "valid").replace("{head}train", "train")
    status, out, err = finished(script(silent))
    assert status == 0 and not err
    assert out[2] == "Trained; the log has no line of an epoch (--log-format)"
    status, out, _ = finished(script(EPOCHS.replace("(1, 2)", "()")))
    assert status == 0 and out[2] == "Nothing was left to train"


def test_training_goes_on_where_nobody_reads(script, tmp_path):
    # It waits for a file: opening a pipe would hang where nobody opens the other end.
    waiting = "import os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.05)\n"
    process = script(waiting + EPOCHS)
    process.stdout.readline()
    process.stdout.close()
    (tmp_path / "go").write_text("")
    assert process.wait(timeout=120) == 0
    assert process.stderr.read().startswith("warning: the latent variable says nothing")
    assert (tmp_path / "runs/joint_variational/checkpoint_best.pt").exists()


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_missing_command_is_one_line(tmp_path, words):
    train = ["joint", "small", "DATA", "no-such-train", "--save-dir", str(tmp_path / "r"), *words]
    done = subprocess.run(
        [sys.executable, "-m", "vqapg.study.watched_training", *train],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 127
    assert done.stderr == (
        "error: no-such-train: No such file or directory; is vqapg's environment entered?\n"
    )


def test_the_log_is_appended_to(script, tmp_path):
    for _ in range(2):
        assert finished(script(EPOCHS, "--save-dir", "mine"))[0] == 0
    log = (tmp_path / "mine/train.log").read_text()
    assert log.count("begin training epoch 1") == 2
    assert not (tmp_path / "runs").exists()


def test_the_first_line_is_there_before_any_program_runs(script, tmp_path):
    os.mkfifo(tmp_path / "go")
    process = script(EPOCHS, settings="#!/bin/sh\ncat go\necho --max-epoch 2\n")
    assert process.stdout.readline().startswith("Getting ready to train joint_variational")
    (tmp_path / "go").write_text("")
    assert finished(process)[0] == 0


def test_a_failure_shows_its_error_and_keeps_the_status(script, tmp_path):
    status, out, err = finished(script(FAILS))
    assert status == 1 and len(out) == 2
    assert err == [
        "The training failed (exit status 1):",
        "    fairseq-train: error: a.pt: is cut short",
        "The whole log is runs/joint_variational/train.log",
    ]
    status, _, err = finished(script("import sys\nfor n in range(30): print(n)\nsys.exit(7)"))
    assert status == 7 and err[1:-1] == [f"    {n}" for n in range(20, 30)]


def test_a_folder_that_cannot_be_made_is_one_line(script, tmp_path):
    (tmp_path / "file").write_text("")
    status, _, err = finished(script(EPOCHS, "--save-dir", "file"))
    assert status == 2 and len(err) == 1
    assert err[0].startswith("error: file: ") and "give another --save-dir" in err[0]


def log_line(tmp_path, start):
    """The first line of the log that starts so, once it is there."""
    path = tmp_path / "runs/joint_variational/train.log"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        lines = path.read_text().splitlines() if path.exists() else []
        for line in lines:
            if line.startswith(start):
                return line
        time.sleep(0.05)
    pytest.fail(f"no line {start!r} in {path}")


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return (
        "Z"
        not in subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True
        ).stdout
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_script_reaches_fairseq_train(script, tmp_path, number):
    process = script(WAITS)
    log_line(tmp_path, "pid")
    process.send_signal(number)
    status, _, err = finished(process)
    # The status is what the program makes of the signal.
    assert status == 3 and err == ["Stopped. The same command goes on from the last checkpoint"]
    assert log_line(tmp_path, "got") == f"got {number.value}"


def test_control_c_in_a_terminal_reaches_fairseq_train_once(script, tmp_path):
    process = script(WAITS)
    log_line(tmp_path, "pid")
    os.killpg(process.pid, signal.SIGINT)
    assert finished(process)[0] == 3
    log = (tmp_path / "runs/joint_variational/train.log").read_text()
    assert log.count("got") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells a child of it")
def test_fairseq_train_does_not_outlive_a_script_that_is_killed(script, tmp_path):
    process = script(WAITS)
    pid = int(log_line(tmp_path, "pid").split()[1])
    process.kill()
    process.wait(timeout=60)
    deadline = time.monotonic() + 60
    while is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("model", "part", "first"),
    [
        ("sequential", False, "bash scripts/generate.sh R/best.pt 'my data' R/out --preset small"),
        ("vqg", False, "bash scripts/generate.sh R/best.pt 'my data' R/out --preset small"),
        (
            "consistency",
            False,
            "vqapg check-evaluator 'my data' --evaluator R/best.pt --output R/evaluator.json",
        ),
        ("vqa", False, "vqapg round-trip 'my data' --answerer R/best.pt --pairs "),
        ("pipeline", True, "vqapg checkpoint X_DIR Y_DIR --weights best --output "),
    ],
)
def test_next_command_is_that_of_the_model(tmp_path, model, part, first):
    [command, *others] = next_commands(model, "small", "my data", tmp_path / "R/best.pt", part)
    assert command.replace(f"{tmp_path}/", "").startswith(first)
    assert [other.startswith("vqapg sample") for other in others] == (
        [True] if model == "sequential" else []
    )
