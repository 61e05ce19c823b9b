import io
import time

from vqapg.study.heartbeat import Heartbeat, epoch_of, last_epoch
from vqapg.study.progress import Progress


def test_epoch_is_the_last_that_the_log_begins(tmp_path):
    log = tmp_path / "train.log"
    assert epoch_of(log) is None
    log.write_text("reading\n")
    assert epoch_of(log) is None
    lines = [f"x | begin training epoch {n}\n" + "x" * 9_000 for n in (1, 2, 3)]
    log.write_text("".join(lines))
    assert epoch_of(log) == 3


def test_last_epoch_is_that_of_the_flag_that_wins():
    assert last_epoch("fairseq-train D --max-epoch 40 --lr 1 --max-epoch 8") == 8
    assert last_epoch("vqapg report .") is None


def test_heart_beats_until_it_is_stopped():
    beats = []
    heart = Heartbeat(lambda: beats.append(time.monotonic()), 0.01)
    heart.start()
    while len(beats) < 3:
        time.sleep(0.01)
    heart.stopped.set()
    heart.join(timeout=5)
    assert not heart.is_alive()


def test_a_long_training_says_its_epoch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "joint").mkdir()
    (tmp_path / "joint/train.log").write_text("x | begin training epoch 2\n")
    stream = io.StringIO()
    progress = Progress(stream=stream)
    progress.on_job_info(
        {
            "rule_name": "train",
            "rule_msg": "joint/train",
            "jobid": 1,
            "shellcmd": "run <<'END'\nfairseq-train D --max-epoch 8\nEND",
        }
    )
    progress.beat()
    assert stream.getvalue().splitlines()[-1] == "    at work: train joint (epoch 2 of 8)"
    progress.at_work.clear()
    before = stream.getvalue()
    progress.beat()
    assert stream.getvalue() == before
