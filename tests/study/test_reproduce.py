"""`vqapg reproduce` with Snakemake itself, and stand-ins for the programs that it starts."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.study_programs import Programs

TABLE_4 = ("easy-vqa", "--preset", "small", "--cpu", "--only", "table4", "--seeds", "1")
RUN = "runs/easy-vqa-small"
# Two parts of either pipeline, four other models, and the evaluator
TRAININGS = 9


@pytest.fixture
def programs(tmp_path):
    return Programs(tmp_path)


def epochs(programs: Programs) -> dict[str, list[str]]:
    """The epochs that were trained in each folder, in order."""
    found: dict[str, list[str]] = {}
    for line in programs.calls("epoch"):
        _, folder, epoch = line.split()
        found.setdefault(folder, []).append(epoch)
    return found


def assert_whole(programs: Programs) -> None:
    """Every training has each of its epochs once, and none was at work twice at a time."""
    assert len(epochs(programs)) == TRAININGS
    assert set(map(tuple, epochs(programs).values())) == {("1", "2", "3", "4")}
    assert "CLASH" not in programs.calls()
    assert (programs.folder / RUN / "report/report.md").exists()
    for path in (programs.folder / RUN).glob("*/seed-1/final.pt"):
        assert path.read_text() == "4\n"


def wait_for(condition, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, "never came"
        time.sleep(0.05)


def test_only_and_seeds_run_what_the_table_needs(programs):
    said = programs.run(*TABLE_4)
    assert_whole(programs)
    assert {line.split()[1] for line in programs.calls("begin")} == {
        "evaluator", "joint/seed-1", "sequential/seed-1", "pipeline/seed-1/x", "pipeline/seed-1/y",
        "joint_variational/seed-1", "sequential_variational/seed-1",
        "pipeline_variational/seed-1/x", "pipeline_variational/seed-1/y",
    }  # fmt: skip
    lines = said.splitlines()
    assert lines[0] == f"Reproducing the paper on easy-vqa with preset small, in {RUN}"
    count = len(lines) - 1
    # A line a job, and nothing of Snakemake's own
    for number, line in enumerate(lines[1:], 1):
        assert re.match(rf"\[{number}/{count}\] [a-z-]+(-[0-9])?( \S+)?: [0-9]+ s", line), line
    assert "left" in lines[-4]


def test_done_study_runs_nothing_again(programs):
    programs.run(*TABLE_4)
    before = programs.calls()
    programs.run(*TABLE_4)
    assert programs.calls() == before


def test_more_seeds_keep_what_is_done(programs):
    programs.run(*TABLE_4)
    programs.run(*TABLE_4[:-1], "1 2")
    # Variational models take every seed, the others the first.
    assert {line.split()[1] for line in programs.calls("begin") if "seed-2" in line} == {
        "joint_variational/seed-2", "sequential_variational/seed-2",
        "pipeline_variational/seed-2/x", "pipeline_variational/seed-2/y",
    }  # fmt: skip
    assert len(programs.calls("begin")) == TRAININGS + 4
    assert json.loads((programs.folder / RUN / "study.json").read_text())["seeds"] == [1, 2]


@pytest.mark.parametrize("whole", [False, True], ids=["engine alone", "with its jobs"])
def test_killed_study_goes_on_and_loses_nothing(programs, whole):
    slow = {"STAND_IN_EPOCH": "0.15"}
    for kill in range(4):
        process = programs.start(*TABLE_4, "--cores", "3", **slow)
        before = len(programs.calls("epoch"))
        wait_for(lambda: len(programs.calls("epoch")) > before + kill, process)
        jobs = descendants(process.pid) if whole else []
        for pid in (process.pid, *jobs):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
    said = programs.run(*TABLE_4, "--cores", "3", **slow)
    if whole:
        # An epoch that was cut off is trained again, from the same checkpoint.
        assert {folder: sorted(set(e)) for folder, e in epochs(programs).items()} == {
            folder: ["1", "2", "3", "4"] for folder in epochs(programs)
        }
        assert "CLASH" not in programs.calls()
    else:
        assert_whole(programs)
    assert "failed" not in said


def descendants(pid: int) -> list[int]:
    """The processes below *pid*."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    children: dict[int, list[int]] = {}
    for line in listed.stdout.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found, left = [], [pid]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return found


def test_orphan_is_waited_for_and_said(programs):
    process = programs.start(*TABLE_4, "--cores", "1", STAND_IN_EPOCH="3")
    wait_for(lambda: programs.calls("begin"), process)
    folder = programs.calls("begin")[0].split()[1]
    process.kill()
    process.wait()
    said = programs.run(*TABLE_4, "--cores", "1")
    assert re.search(rf"{folder}/train: waits for process \d+ on \S+ to end, which a killed", said)
    assert_whole(programs)


def test_second_start_says_who_is_at_work(programs):
    process = programs.start(*TABLE_4, STAND_IN_EPOCH="0.5")
    wait_for(lambda: programs.calls("begin"), process)
    said = programs.run(*TABLE_4, status=2)
    assert f"{RUN}: process {process.pid} on " in said and said.endswith("wait for it to end\n")
    process.kill()
    process.wait()


def test_failed_job_shows_its_log_and_others_go_on(programs):
    said = programs.run(*TABLE_4, status=1, STAND_IN_FAILS="--save-dir joint/")
    log = programs.folder / RUN / "joint/seed-1/train.log"
    assert f"failed: train joint/seed-1; the end of {log}:\n" in said
    assert "    no such luck\n" in said
    assert said.endswith("1 job failed; mend what the log says, and run the same command again\n")
    assert (programs.folder / RUN / "sequential/seed-1/metrics.json").exists()
    assert not (programs.folder / RUN / "report").exists()
    assert "failed" not in programs.run(*TABLE_4)
    assert_whole(programs)


def test_other_settings_in_a_standing_folder_are_refused(programs):
    programs.run(*TABLE_4[:5], "table2")
    words = ("easy-vqa", "optimization.max_epoch=2", *TABLE_4[1:])
    said = programs.run(*words, status=2)
    assert said.splitlines()[1:] == [
        f"vqapg reproduce: error: {RUN}: was made with changes [], not "
        '["optimization.max_epoch=2"]; give another --dest, or remove that folder'
    ]


def test_changed_preset_in_a_standing_folder_is_refused(programs):
    programs.run(*TABLE_4[:5], "table2")
    path = programs.folder / RUN / "study.json"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps(stored | {"settings_sha256": "of an earlier version"}))
    said = programs.run(*TABLE_4, status=2)
    assert "was made with other settings of preset small; give another --dest" in said


def test_training_from_changed_data_starts_anew(programs):
    only = (*TABLE_4[:5], "table3")
    programs.run(*only)
    (programs.folder / RUN / "data/manifest.json").write_text('{"other": "data"}')
    os.utime(programs.folder / RUN / "data/features.h5")
    programs.run(*only)
    assert epochs(programs)["evaluator"] == ["1", "2", "3", "4"] * 2


def test_touched_data_do_not_train_again(programs):
    only = (*TABLE_4[:5], "table3")
    programs.run(*only)
    os.utime(programs.folder / RUN / "data/features.h5")
    programs.run(*only)
    assert epochs(programs)["evaluator"] == ["1", "2", "3", "4"]


def test_people_keep_their_session(programs):
    only = ("easy-vqa", "--preset", "small", "--cpu", "--only", "table6", "--seeds", "1")
    programs.run(*only)
    judged = programs.folder / RUN / "annotation/judgements"
    judged.write_text("hours of work")
    for path in (programs.folder / RUN).glob("*/seed-1/final.pt"):
        os.utime(path)
    programs.run(*only)
    (programs.folder / RUN / "annotation.started").unlink()
    programs.run(*only)
    assert judged.read_text() == "hours of work" and len(programs.calls("annotate")) == 1


def test_too_few_pairs_to_judge_hold_nothing_up(programs):
    only = ("easy-vqa", "--preset", "small", "--cpu", "--only", "table6", "--seeds", "1")
    programs.run(*only, STAND_IN_TOO_FEW="yes")
    assert (programs.folder / RUN / "report/report.md").exists()
    assert not (programs.folder / RUN / "annotation").exists()


def test_other_images_are_looked_at_anew(programs):
    only = ("easy-vqa", "--preset", "small", "--cpu", "--only", "figure7", "--seeds", "1")
    programs.run(*only)
    programs.run(*only, "--images", "b.png")
    programs.run(*only, "--images", "b.png")
    looked = programs.calls("vqapg attention")
    assert [line.rpartition("--overwrite ")[2] for line in looked] == ["a.png b.png", "b.png"]


def test_gpus_are_shared_out_one_a_training(programs):
    words = [word for word in TABLE_4 if word != "--cpu"]
    programs.run(*words, "--cores", "4", CUDA_VISIBLE_DEVICES="3,5", STAND_IN_EPOCH="0.1")
    used = [line.rpartition("gpus=")[2] for line in programs.calls("begin")]
    assert set(used) == {"3", "5"}


def test_study_of_a_data_directory_links_it(programs):
    data = programs.folder / "mine"
    data.mkdir()
    for name in ("manifest.json", "features.h5"):
        (data / name).write_text("{}")
    (data / "test.image").write_text("a.png\n")
    programs.run("mine", "--preset", "small", "--cpu", "--only", "table3")
    assert (programs.folder / "runs/mine-small/data").resolve() == data
    assert not programs.calls("prepare") and not programs.calls("features")


@pytest.mark.parametrize(
    "words, error",
    [
        (("vqa3",), "vqa3: is neither a data set (vqa2, visual7w, easy-vqa, scenes) nor a data"),
        (("easy-vqa", "--only", "table11"), "--only table11: is no table or figure of the plan;"),
        (("easy-vqa", "--seeds", "1 b"), '--seeds "1 b": give whole numbers, such as'),
        (("easy-vqa", "--seeds", "1 1"), '--seeds "1 1": has one twice; name each once'),
        (("easy-vqa", "--cpu", "--cores", "0"), "--cores 0: must be at least 1"),
        (("vqa2",), "vqa2 reads a folder: name it with --source FOLDER, holding"),
        (("visual7w", "--source", "programs"), "dataset_v7w_telling.json: missing; get it at"),
        (("easy-vqa", "--preset", "paper"), "preset paper begins with GloVe vectors; name them"),
        (("easy-vqa", "--glove", "none.txt"), "--glove none.txt: there is no such file;"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_missing_is_one_line(programs, words, error):
    said = programs.run(*words, *([] if "--cpu" in words else ["--cpu"]), status=2)
    _, line = said.splitlines()
    assert line.startswith("vqapg reproduce: error: ") and error in line
    assert not (programs.folder / "runs").exists()


def test_missing_engine_says_how_to_get_it(programs):
    code = (
        "import importlib.util, sys; find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name: None if name == 'snakemake' else find(name)\n"
        "from vqapg.cli.main import main; sys.exit(main(['reproduce', 'easy-vqa']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=programs.folder,
        env=programs.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr == (
        'vqapg reproduce: error: Snakemake is missing; install it: pip install "vqapg[study]"\n'
    )


def test_dry_run_prints_commands_and_writes_nothing(programs):
    said = programs.run(*TABLE_4, "--dry-run")
    assert "# train joint/seed-1\nfairseq-train data " in said
    assert '# report\nvqapg report "$PWD" --output report --overwrite\n' in said
    assert "vqapg.study.job" not in said
    assert sorted(path.name for path in programs.folder.iterdir()) == ["programs"]


def test_dry_run_of_a_begun_study_has_what_is_left(programs):
    programs.run(*TABLE_4[:5], "table3")
    said = programs.run(*TABLE_4, "--dry-run")
    assert "# train joint/seed-1\n" in said and "# train evaluator\n" not in said
    assert Path(programs.folder, RUN, "study.json").exists()


def test_dry_run_of_scenes_prepares_them_at_128_pixels(programs):
    words = ("scenes", "--preset", "small", "--cpu", "--seeds", "1", "--dry-run")
    said = programs.run(*words, "vqapg.data.prepare.max_images=60")
    assert (
        "vqapg prepare --dataset scenes --seed 1 --max-images 60 --max-valid-images 500 "
        "--max-test-images 1000 --dest data\n"
    ) in said
    assert ("vqapg extract-features data --backbone efficientnet_lite0 --image-size 128\n") in said
    assert "# train joint_variational/seed-1\nfairseq-train data " in said
