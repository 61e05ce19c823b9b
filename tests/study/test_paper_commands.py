"""What `vqapg reproduce --preset paper --dry-run` prints is the paper, on two GPUs."""

import re
import shlex
from itertools import pairwise

import pytest

from tests.datasets.test_official_sources import write_visual7w, write_vqa2
from tests.support.study_programs import Programs
from tests.support.xdist import made_once

WRITERS = {"vqa2": write_vqa2, "visual7w": write_visual7w}
# Section 5.3, and 6.6 for what is fine-tuned. The flags of every training:
EVERY = {
    "--hidden-size": "512",  # "all the representations ... are 512-dimensional"
    "--embed-path": "glove.300d.txt",  # "initialized using Glove"
    "--embed-dim": "300",
    "--dropout": "0.1",  # "dropout all models with a ratio of 0.1"
    "--global-batch-size": "256",  # "batch size 256 on two Nvidia Titan RTXs"
    "--distributed-world-size": "2",
    "--optimizer": "adam",  # "updated by Adam optimizer"
    "--lr-scheduler": "reduce_lr_on_plateau",
    "--lr-shrink": "0.5",  # "decays with a ratio of 0.5"
    "--lr-patience": "4",  # "not improved for five consecutive epochs"
}
# "40 epochs", "initial learning rate 1e-3"; fine-tuning: "20 epochs", "3e-4"
LONG, FINE_TUNING = ("40", "0.001"), ("20", "0.0003")


@pytest.fixture(scope="module", params=WRITERS)
def dry_run(request, tmp_path_factory):
    """The data set, and the folder of the dry run for two GPUs: in ``said`` what it printed."""

    def print_them(folder):
        programs = Programs(folder)
        WRITERS[request.param](folder / "source")
        said = programs.run(
            request.param, "--source", "source", "--dry-run", CUDA_VISIBLE_DEVICES="0,1"
        )
        (folder / "said").write_text(said)

    return request.param, made_once(tmp_path_factory, f"printed-{request.param}", print_them)


@pytest.fixture(scope="module")
def printed(dry_run):
    """The data set, and the jobs of the dry run, ``{"NAME FOLDER": its commands as words}``."""
    name, folder = dry_run
    jobs = {}
    for block in (folder / "said").read_text().partition("# ")[2].strip().split("\n\n# "):
        job, *lines = block.splitlines()
        jobs[job] = [shlex.split(line) for line in lines]
    return name, jobs


def trainings(jobs):
    """``{folder: flags}`` of every fairseq-train."""
    return {
        command[command.index("--save-dir") + 1]: dict(pairwise(command))
        for commands in jobs.values()
        for command in commands
        if command[0] == "fairseq-train"
    }


def test_dry_run_prints_commands_and_writes_nothing(dry_run):
    _, folder = dry_run
    said = (folder / "said").read_text()
    assert "# train joint/seed-1\nfairseq-train data " in said
    assert '# report\nvqapg report "$PWD" --output report --overwrite\n' in said
    assert "vqapg.study.job" not in said
    assert sorted(path.name for path in folder.iterdir()) == ["programs", "said", "source"]


def test_every_training_has_the_values_of_section_5_3(printed):
    _, jobs = printed
    found = trainings(jobs)
    # 3 baselines, of which 1 of two parts; 10 variational ones of 3 seeds, of which 3 of two parts;
    # 2 evaluators; Table 8: 2 x (1 + 4 x 2)
    assert len(found) == 4 + 3 * 13 + 2 + 18
    for folder, flags in found.items():
        wrong = {flag: flags.get(flag) for flag in EVERY if flags.get(flag) != EVERY[flag]}
        assert not wrong, folder
        tuned = re.fullmatch("downstream/[a-z]+/(?!baseline)[a-z_]+/seed-1", folder)
        expected = FINE_TUNING if tuned else LONG
        assert (flags["--max-epoch"], flags["--lr"]) == expected, folder


def test_objective_is_that_of_the_text(printed):
    _, jobs = printed
    for folder, flags in trainings(jobs).items():
        if "_variational" not in flags["--arch"]:
            assert "--latent-dim" not in flags, folder
            continue
        expected = {
            "--latent-dim": "512",
            "--kl-free-bits": "5.0",
            "--free-bits-mode": "paper",
            "--attention-alignment-free-bits": "0.03",
            "--attention-alignment-weight": "0" if "no_alignment" in folder else "0.5",
        }
        assert {flag: flags[flag] for flag in expected} == expected, folder
        assert ("--no-region-scaling" in flags) == ("no_scaling" in folder), folder
        order = "qa" if "-qa/" in folder else "aq"
        assert flags.get("--order", order) == order, folder


def test_parts_of_pipelines_train_apart_and_are_joined(printed):
    _, jobs = printed
    found = trainings(jobs)
    for seed in (1, 2, 3):
        folder = f"pipeline_variational/seed-{seed}"
        assert found[f"{folder}/x"]["--sub-model"] == "x"
        assert found[f"{folder}/y"]["--sub-model"] == "y"
        [[*words]] = jobs[f"join {folder}"]
        assert words[:6] == [
            "vqapg",
            "checkpoint",
            f"{folder}/x",
            f"{folder}/y",
            "--weights",
            "best",
        ]


def test_seeds_are_the_runs_own(printed):
    _, jobs = printed
    for folder, flags in trainings(jobs).items():
        seed = re.search(r"seed-(\d)", folder)
        assert flags["--seed"] == (seed[1] if seed else "1"), folder


def test_pretraining_is_on_five_passes_of_the_train_split(printed):
    _, jobs = printed
    model = "joint_variational"
    passes = [jobs[f"generate-train-{n} {model}/seed-1"][0] for n in range(1, 6)]
    assert [words[words.index("--seed") + 1] for words in passes] == ["1", "2", "3", "4", "5"]
    assert all(words[words.index("--gen-subset") + 1] == "train" for words in passes)
    [words] = jobs[f"pretraining-data downstream/pairs/{model}"]
    assert words[2:7] == [f"{model}/seed-1/generate-train-{n}.txt" for n in range(1, 6)]
    [control] = jobs["pretraining-data downstream/pairs/gold"]
    assert control[2:4] == ["--gold", "5"]
    for task in ("vqg", "vqa"):
        found = trainings(jobs)
        folder = f"downstream/{task}/{model}/seed-1"
        before = found[f"{folder}/pre-training"]
        assert before["fairseq-train"] == f"downstream/data/{model}"
        assert found[folder]["--finetune-from-model"] == f"{folder}/pre-training/final.pt"


def test_one_pair_a_test_pair_is_generated_by_beam_10(printed):
    _, jobs = printed
    generated = {name: job for name, job in jobs.items() if name.startswith("generate-test ")}
    # 3 baselines, 10 variational models of 3 seeds, and 10 of Table 8
    assert len(generated) == 3 + 30 + 10
    for name, job in generated.items():
        flags = dict(pairwise(job[0]))
        assert (flags["--gen-subset"], flags["--beam"]) == ("test", "10"), name
        assert "--nbest" not in flags and "--sampling" not in flags and "--cpu" not in flags, name


def test_data_and_features_are_those_of_section_5_1(printed):
    name, jobs = printed
    [prepare] = jobs["prepare"]
    assert prepare[:4] == ["vqapg", "prepare", "--dataset", name]
    assert prepare[prepare.index("--source") + 1].endswith("/source")
    [features] = jobs["extract-features"]
    assert features[2:] == ["data", "--backbone", "resnet50", "--image-size", "299"]
    [glove] = jobs["glove"]
    assert glove[1:3] == ["glove", "data"] and glove[-4:] == [
        "--dim", "300", "--output", "glove.300d.txt",
    ]  # fmt: skip


def test_every_result_is_measured(printed):
    _, jobs = printed
    kinds = {name.split()[0] for name in jobs}
    assert kinds >= {
        "check-evaluator", "evaluate", "overlap", "attention", "annotation", "count-parameters",
        "report",
    }  # fmt: skip
    for name, job in jobs.items():
        for words in job:
            # All rows have one judge.
            if words[:2] in (["vqapg", "evaluate"], ["vqapg", "attention"]):
                assert words[words.index("--evaluator") + 1] == "evaluator/final.pt", name
