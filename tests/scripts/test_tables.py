"""The scripts of the tables run each program once, in the right order.

Stand-ins take the place of the programs.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
ALL = sorted(path.name for path in SCRIPTS.glob("*.sh"))
OF_A_DATA_SET = [
    "figure5",
    "study",
    "table2",
    "table3",
    "table4",
    "table5",
    "table6",
    "table7",
    "table8",
    "table9",
]

TRAIN = """#!/usr/bin/env bash
echo "fairseq-train $*" >> "$CALLS"
for word in "$@"; do if [ "$previous" = --save-dir ]; then folder=$word; fi; previous=$word; done
if [[ -n ${FAILS-} && $folder = *$FAILS* ]]; then echo "out of memory" >&2; exit 1; fi
echo weights > "$folder/checkpoint1.pt"
"""
GENERATE = """#!/usr/bin/env bash
echo "fairseq-generate $*" >> "$CALLS"
printf 'H-0\\t-0.5\\tis there a circle ? <sep> no\\n'
"""
VQAPG = """#!/usr/bin/env bash
echo "vqapg $*" >> "$CALLS"
for word in "$@"; do
    case $previous in
        --output) if [ "$1 $2" != "report $2" ]; then echo '{}' > "$word"; fi ;;
        --dest)
            if [ ! -e "$word/manifest.json" ]; then
                mkdir -p "$word"
                for name in train.image test.image manifest.json; do
                    echo a.png > "$word/$name"
                done
            fi ;;
    esac
    previous=$word
done
if [ "$1 $2" = "annotate start" ]; then mkdir "$3"; fi
if [ "$1 $2" = "annotate score" ] && [ -n "${NOT_JUDGED-}" ]; then exit 2; fi
"""


@pytest.fixture
def repository(tmp_path):
    """A folder with the scripts, in which environment.sh does nothing."""
    shutil.copytree(SCRIPTS, tmp_path / "scripts")
    (tmp_path / "scripts/environment.sh").write_text("")
    (tmp_path / "bin").mkdir()
    for name, text in (("fairseq-train", TRAIN), ("fairseq-generate", GENERATE), ("vqapg", VQAPG)):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    data = tmp_path / "mine"
    data.mkdir()
    (data / "train.image").write_text("a.png\n" * 130)
    (data / "test.image").write_text("a.png\na.png\nb.png\nc.png\nd.png\n")
    for name in ("manifest.json", "features.h5"):
        (data / name).touch()
    return tmp_path


@pytest.fixture
def run(repository):
    """run(script, arguments..., variables) -> finished process, and the commands that it called."""

    def run(script, *arguments, **variables):
        calls = repository / "calls"
        calls.write_text("")
        environment = os.environ | {
            "PATH": f"{repository / 'bin'}:{os.environ['PATH']}",
            "CALLS": str(calls),
            "JOBS": "2",
            "SEEDS": "1 2",
        }
        done = subprocess.run(
            ["bash", repository / "scripts" / f"{script}.sh", *arguments],
            cwd=repository,
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done, calls.read_text().splitlines()

    return run


def trained(calls):
    """The folders that something was trained in."""
    return [
        call.split("--save-dir ")[1].split()[0].partition("epochs/")[2]
        for call in calls
        if call.startswith("fairseq-train")
    ]


@pytest.mark.parametrize("name", ALL)
def test_every_script_is_well_formed(name):
    subprocess.run(["bash", "-n", SCRIPTS / name], check=True)


@pytest.mark.parametrize("script", OF_A_DATA_SET)
def test_bad_usage_is_answered_by_what_stands_in_the_script(run, script):
    done, calls = run(script, "--help")
    assert done.returncode == 2 and f"bash scripts/{script}.sh" in done.stderr and not calls
    done, calls = run(script, "nowhere")
    assert done.returncode == 2 and not calls
    assert (
        done.stderr
        == "error: nowhere: not a data directory with features; see vqapg prepare --help\n"
    )


def test_table_4_trains_six_models_the_baselines_once_and_the_second_time_nothing(run):
    done, calls = run("table4", "mine", EPOCHS="3")
    assert done.returncode == 0, done.stderr
    baselines = [f"{name}/seed-1" for name in ("joint", "pipeline", "sequential")]
    variational = [
        f"{name}_variational/seed-{seed}"
        for name in ("joint", "pipeline", "sequential")
        for seed in (1, 2)
    ]
    assert sorted(trained(calls)) == sorted(["evaluator", *baselines, *variational])
    # 130 pairs make three updates of 64 an epoch.
    (call,) = [
        call
        for call in calls
        if "joint_variational/seed-2" in call and call.startswith("fairseq-train")
    ]
    assert "--max-update 9 --max-epoch 3" in call and "--warmup-updates 0" in call
    assert "--seed 2 --arch vqapg_joint_variational --latent-dim 128" in call
    assert sum(call.startswith("vqapg evaluate") for call in calls) == 9
    folder = "runs/study-mine-3-epochs"
    assert calls[-1] == f"vqapg report {folder} --output {folder}/report --overwrite"

    done, calls = run("table4", "mine", EPOCHS="3")
    assert done.returncode == 0 and [call.split()[:2] for call in calls] == [["vqapg", "report"]]
    # Table 9 is made of the same models, Table 5 of some of them and others.
    assert trained(run("table9", "mine", EPOCHS="3")[1]) == []
    more = (
        "joint_variational-no_alignment",
        "joint_variational-no_scaling",
        "pipeline_variational-no_scaling",
        "sequential_variational-no_scaling",
    )
    assert sorted(trained(run("table5", "mine", EPOCHS="3")[1])) == [
        f"{name}/seed-{seed}" for name in more for seed in (1, 2)
    ]


def test_each_change_of_a_model_is_its_flag(run):
    _, calls = run("study", "mine", SEEDS="1")
    flags = {
        folder: call.partition("--arch ")[2].partition(" --save")[0]
        for folder, call in zip(
            trained(calls), [call for call in calls if call.startswith("fairseq-train")]
        )
    }
    assert len(flags) == len(trained(calls)) == 17
    assert flags["joint/seed-1"] == "vqapg_joint"
    assert (
        flags["pipeline_variational-qa/seed-1"]
        == "vqapg_pipeline_variational --order qa --latent-dim 128"
    )
    assert (
        flags["joint_variational-no_scaling/seed-1"]
        == "vqapg_joint_variational --no-region-scaling --latent-dim 128"
    )
    assert flags["joint_variational-no_alignment/seed-1"] == (
        "vqapg_joint_variational --attention-alignment-weight 0 --latent-dim 128"
    )
    assert flags["joint_variational-paper_objective/seed-1"] == (
        "vqapg_joint_variational --latent-dim 128 --free-bits-mode paper"
    )
    assert "--negatives hard" in flags["evaluator-hard"] and "--negatives" not in flags["evaluator"]


def test_what_failed_is_named_and_done_the_next_time(run):
    done, calls = run("figure5", "mine", SEEDS="1", FAILS="sequential_variational-qa")
    assert done.returncode == 1
    assert (
        "error: sequential_variational-qa/seed-1 failed; the end of" in done.stderr
        and "out of memory" in done.stderr
    )
    assert not any(call.startswith("vqapg report") for call in calls)
    done, calls = run("figure5", "mine", SEEDS="1")
    assert done.returncode == 0 and trained(calls) == ["sequential_variational-qa/seed-1"]


def test_other_options_in_the_same_folder_are_refused(run):
    run("table3", "mine")
    done, _ = run("table3", "mine", WIDTH="64")
    assert done.returncode == 1 and "was made with other options; remove that folder" in done.stderr


def test_two_data_sets_of_one_name_are_not_mixed_up(run, repository):
    run("table2", "mine")
    shutil.copytree(repository / "mine", repository / "other/mine")
    done, calls = run("table2", "other/mine")
    assert done.returncode == 2 and "rename" in done.stderr and not calls


def test_table_8_pre_trains_on_generated_pairs_and_fine_tunes_on_gold(run, repository):
    done, calls = run("table8", "mine", SEEDS="1", FINE_TUNING_EPOCHS="5")
    assert done.returncode == 0, done.stderr
    generated = [call for call in calls if "--gen-subset train" in call]
    assert len(generated) == 3 and all(
        call.endswith("--sampling --sampling-topk 1 --beam 5 --nbest 5") for call in generated
    )
    study = "runs/study-mine-8-epochs"
    model = f"{study}/downstream/vqg/joint_variational"
    folder, before = f"{model}/seed-1", f"{model}/pre-training"
    first, second = [call for call in calls if call.startswith("fairseq-train") and model in call]
    assert first.startswith(f"fairseq-train {study}/downstream/data/joint_variational ")
    assert (
        f"--save-dir {before} " in first
        and "--lr 2e-3" in first
        and "--finetune-from-model" not in first
    )
    assert second.startswith(f"fairseq-train {study}/data ") and f"--save-dir {folder} " in second
    assert f"--finetune-from-model {before}/final.pt" in second
    assert "--lr 3e-4" in second and "--max-epoch 5 " in second and "--arch vqapg_vqg" in second
    measured = [call for call in calls if call.startswith("vqapg overlap")]
    assert len(measured) == 8
    command = f"vqapg overlap {study}/data --pairs {folder}/generate-test.txt --of question"
    assert f"{command} --output {folder}/metrics.json --overwrite" in measured
    assert sum("--of answer" in call for call in measured) == 4

    done, calls = run("table8", "mine", SEEDS="1", FINE_TUNING_EPOCHS="5")
    assert done.returncode == 0 and trained(calls) == []
    # Other pairs: what was pre-trained on them is made anew, the rest is left.
    model = repository / f"{study}/joint_variational/seed-1"
    (model / "final.pt").write_text("other weights")
    (repository / f"{study}/downstream/data/joint_variational/manifest.json").unlink()
    done, calls = run("table8", "mine", SEEDS="1", FINE_TUNING_EPOCHS="5")
    assert done.returncode == 0
    assert sorted(trained(calls)) == [
        f"downstream/{task}/joint_variational/{stage}"
        for task in ("vqa", "vqg")
        for stage in ("pre-training", "seed-1")
    ]


def test_table_6_waits_for_people(run):
    done, calls = run("table6", "mine", SEEDS="1", NOT_JUDGED="1")
    assert (
        done.returncode == 1
        and "Let people judge: vqapg annotate serve runs/study-mine-8-epochs/annotation"
        in done.stderr
    )
    assert any(
        call.startswith("vqapg annotate start") and "--pairs joint_variational=runs/" in call
        for call in calls
    )
    done, calls = run("table6", "mine", SEEDS="1")
    assert done.returncode == 0 and [" ".join(call.split()[1:3]) for call in calls] == [
        "annotate score",
        "report runs/study-mine-8-epochs",
    ]


def test_table_7_looks_at_the_first_images_or_those_named_and_once(run):
    _, calls = run("table7", "mine", SEEDS="1")
    looked = [call for call in calls if call.startswith("vqapg attention")]
    assert len(looked) == 3 and all(
        call.endswith("attention.json a.png b.png c.png") for call in looked
    )
    assert not any(
        call.startswith("vqapg attention") for call in run("table7", "mine", SEEDS="1")[1]
    )
    _, calls = run("table7", "mine", SEEDS="1", IMAGES="d.png")
    assert sum(call.endswith("attention.json d.png") for call in calls) == 3
