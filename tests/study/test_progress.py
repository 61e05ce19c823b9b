"""What a person reads of a study, from the events of Snakemake."""

import io
import logging

import pytest

from vqapg.study.progress import Progress, duration, script_of


class Study:
    """Tells :class:`Progress` what Snakemake would, at times of our own."""

    def __init__(self, stream=None, **options):
        self.stream = stream or io.StringIO()
        self.time = 0.0
        self.progress = Progress(stream=self.stream, clock=lambda: self.time, **options)

    def tell(self, event, level=logging.INFO, **said):
        message = said.pop("msg", None)
        record = logging.LogRecord("snakemake", level, "", 0, message, None, None)
        record.__dict__.update(said, event=event, msg=message)
        self.progress.handle(record)

    def begin(self, number, rule, place, command="<<'END'\ntrue\nEND"):
        self.tell("job_info", jobid=number, rule_name=rule, rule_msg=place, shellcmd=command)

    def end(self, number):
        self.tell("job_finished", job_id=number)

    @property
    def lines(self):
        return self.stream.getvalue().splitlines()


def begun(**options):
    study = Study(**options)
    study.tell("run_info", stats={"prepare": 1, "train": 3, "all": 1, "total": 5})
    return study


def test_line_of_a_finished_job_has_number_time_and_time_left():
    study = begun()
    study.begin(1, "prepare", "log/prepare")
    study.time = 40
    study.end(1)
    for number in (2, 3):
        study.begin(number, "train", f"joint/seed-{number}/train")
    study.time = 640
    study.end(2)
    assert study.lines[0] == "[1/4] prepare: 40 s"
    # The third training has run for as long as the second took: one is left, of ten minutes, and
    # two run side by side.
    assert study.lines[1] == "[2/4] train joint/seed-2: 10 min; about 5 min left"


def test_no_time_is_left_to_say_before_a_training_ended():
    study = begun()
    study.begin(1, "prepare", "log/prepare")
    study.time = 3600
    study.end(1)
    assert study.lines == ["[1/4] prepare: 60 min"]


def test_last_job_says_no_time_left():
    study = Study()
    study.tell("run_info", stats={"train": 1, "all": 1, "total": 2})
    study.begin(1, "train", "joint/seed-1/train")
    study.time = 5
    study.end(1)
    study.end(0)  # the rule of all, which is no job
    assert study.lines == ["[1/1] train joint/seed-1: 5 s"]


def test_failed_job_shows_the_end_of_its_log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "joint").mkdir()
    (tmp_path / "joint/train.log").write_text("".join(f"line {n}\n" for n in range(9)))
    study = begun()
    study.begin(1, "train", "joint/train")
    study.tell("error", logging.ERROR, msg="RuleException:\nCalledProcessError in file ...")
    study.tell("job_error", logging.ERROR, jobid=1)
    study.tell("error", logging.ERROR, msg="WorkflowError:\nAt least one job did not complete")
    assert study.lines == [
        f"failed: train joint; the end of {tmp_path}/joint/train.log:",
        *(f"    line {n}" for n in range(4, 9)),
        f"vqapg report {tmp_path} --overwrite reports what is there",
        "1 job failed; mend what the log says, and run the same command again",
    ]


def test_other_errors_are_said_whole():
    study = begun()
    study.tell("error", logging.ERROR, msg="MissingInputException in rule train")
    study.tell(None, logging.INFO, msg="Building DAG of jobs...")
    assert study.lines == ["MissingInputException in rule train"]


def test_dry_run_prints_the_scripts_alone():
    study = begun(dry_run=True)
    study.begin(1, "train", "joint/seed-1/train", "python -m x <<'END'\nfairseq-train d\nEND")
    study.begin(2, "all", None, None)
    assert study.stream.getvalue() == "# train joint/seed-1\nfairseq-train d\n\n"


@pytest.mark.parametrize(
    "seconds, text",
    [(0.4, "0 s"), (99, "99 s"), (100, "2 min"), (5940, "99 min"), (12000, "3 h 20 min")],
)
def test_duration_is_as_people_say_it(seconds, text):
    assert duration(seconds) == text


def test_script_is_what_stands_between_the_marks():
    assert script_of("python -m x --y <<'END'\na\nb\nEND") == "a\nb"
    assert script_of("plain") == "plain"
