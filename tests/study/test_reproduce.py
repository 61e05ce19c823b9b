"""`vqapg reproduce` with Snakemake itself, and stand-ins for the programs that it starts."""

import json
import re

from tests.support.study_runs import (
    EPOCHS,
    RUN,
    TABLE_4,
    TRAININGS,
    assert_whole,
    continued,
    epochs,
    only,
)


def test_only_and_seeds_run_what_the_table_needs(whole, tmp_path):
    programs = continued(whole, tmp_path)
    assert_whole(programs)
    trained = (
        "evaluator", "joint/seed-1", "sequential/seed-1", "pipeline/seed-1/x",
        "pipeline/seed-1/y", "joint_variational/seed-1", "sequential_variational/seed-1",
        "pipeline_variational/seed-1/x", "pipeline_variational/seed-1/y",
    )  # fmt: skip
    assert epochs(programs) == dict.fromkeys(trained, EPOCHS)


def test_a_study_says_a_line_a_job(whole):
    said = (whole / "said").read_text().splitlines()
    # On a busy machine a minute may pass without one.
    lines = [line for line in said if not line.startswith("    at work: ")]
    lines.remove("vqapg reproduce: loading libraries")
    assert lines[0] == f"Reproducing the paper on easy-vqa with preset small, in {RUN}"
    count = len(lines) - 1
    # Nothing of Snakemake's own
    for number, line in enumerate(lines[1:], 1):
        assert re.match(rf"\[{number}/{count}\] [a-z-]+(-[0-9])?( \S+)?: [0-9]+ (s|min)", line), (
            line
        )
    assert "left" in lines[-4]


def test_gpus_are_shared_out_one_a_training(whole, tmp_path):
    begun = continued(whole, tmp_path).calls("begin")
    assert {line.rpartition("gpus=")[2] for line in begun} == {"3", "5"}


def test_done_study_runs_nothing_again(done):
    before = done.calls()
    done.run(*TABLE_4)
    assert done.calls() == before


def test_dry_run_of_a_begun_study_has_what_is_left(done):
    said = done.run(*only("table3"), "--dry-run")
    assert "# train evaluator-hard\n" in said and "# train evaluator\n" not in said


def test_failed_job_shows_its_log_and_others_go_on(done):
    """Of a second seed: what the first has made stays."""
    failing, other = "joint_variational/seed-2", "sequential_variational/seed-2"
    reports = done.calls("report")
    said = done.run(*TABLE_4[:-1], "1 2", status=1, STAND_IN_FAILS=f"--save-dir {failing}")
    log = done.folder / RUN / failing / "train.log"
    assert f"failed: train {failing}; the end of {log}:\n" in said
    assert "    no such luck\n" in said
    assert said.endswith(
        f"vqapg report {done.folder / RUN} --overwrite reports what is there\n"
        "1 job failed; mend what the log says, and run the same command again\n"
    )
    assert (done.folder / RUN / other / "metrics.json").exists()
    assert done.calls("report") == reports
    assert "failed" not in done.run(*TABLE_4[:-1], "1 2")
    assert len(done.calls("report")) == len(reports) + 1
    # Variational models take every seed, the others the first.
    begun = [line.split()[1] for line in done.calls("begin")]
    assert {folder for folder in begun if "seed-2" in folder} == {
        failing, other, "pipeline_variational/seed-2/x", "pipeline_variational/seed-2/y",
    }  # fmt: skip
    assert len(begun) == TRAININGS + 4
    assert json.loads((done.folder / RUN / "study.json").read_text())["seeds"] == [1, 2]


def test_dry_run_of_scenes_prepares_them_at_128_pixels(programs):
    words = ("scenes", "--preset", "small", "--cpu", "--seeds", "1", "--dry-run")
    said = programs.run(*words, "vqapg.data.prepare.max_images=60")
    assert (
        "vqapg prepare --dataset scenes --seed 1 --max-images 60 --max-valid-images 500 "
        "--max-test-images 1000 --dest data\n"
    ) in said
    assert ("vqapg extract-features data --backbone efficientnet_lite0 --image-size 128\n") in said
    assert "# train joint_variational/seed-1\nfairseq-train data " in said
