"""The whole way, from images to scored pairs, through the commands of the README."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import torch

from tests.support.fairseq_commands import REPOSITORY, fairseq
from tests.support.world import CONSISTENCY, EPOCHS, GENERATION, IMAGES, OPTIMIZER, make_data, vqapg
from vqapg.cli.main import main

PAIRS = 3 * IMAGES["test"]


def generate(world, results, *arguments, **options):
    fairseq(
        "generate",
        world / "data",
        "--task",
        "vqapg",
        "--path",
        world / "generation/checkpoint_last.pt",
        "--gen-subset",
        "test",
        "--cpu",
        "--results-path",
        results,
        *arguments,
        **options,
    )
    return (results / "generate-test.txt").read_text()


def hypotheses(text):
    """By line number, the hypotheses of a stock output file, in order."""
    found = {}
    for line in text.splitlines():
        if line.startswith("H-"):
            number, _, tokens = line[2:].split("\t")
            found.setdefault(int(number), []).append(tokens)
    return found


@pytest.fixture(scope="module")
def generated(world, tmp_path_factory):
    results = tmp_path_factory.mktemp("generated")
    return results / "generate-test.txt", hypotheses(
        generate(world, results, "--beam", 3, "--batch-size", 4)
    )


def test_every_test_pair_gets_one_hypothesis_question_first(generated):
    _, found = generated
    assert sorted(found) == list(range(PAIRS))
    for (tokens,) in found.values():
        question, separator, answer = tokens.partition(" <sep> ")
        assert question and separator and answer and "<sep>" not in answer


@pytest.mark.parametrize("batch_size", [1, 50])
def test_the_batch_size_changes_neither_their_number_nor_their_text(
    world, generated, tmp_path, batch_size
):
    text = generate(world, tmp_path, "--beam", 3, "--batch-size", batch_size)
    assert hypotheses(text) == generated[1]


def test_sampling_and_nbest_go_through_the_stock_flags(world, generated, tmp_path):
    flags = [
        "--sampling",
        "--sampling-topk",
        5,
        "--temperature",
        1.5,
        "--beam",
        3,
        "--nbest",
        3,
        "--batch-size",
        4,
    ]
    first = hypotheses(generate(world, tmp_path / "a", *flags, "--seed", 5))
    assert all(len(found) == 3 for found in first.values()) and len(first) == PAIRS
    assert hypotheses(generate(world, tmp_path / "b", *flags, "--seed", 6)) != first


def test_the_latent_temperature_goes_through_fairseq_generate(world, tmp_path):
    found = hypotheses(
        generate(world, tmp_path, "--latent-temperature", 0, "--beam", 2, "--batch-size", 50)
    )
    # Three pairs an image, all from the mean of its prior
    assert all(
        found[3 * image] == found[3 * image + 1] == found[3 * image + 2]
        for image in range(IMAGES["test"])
    )


def test_refine_and_rescore_go_through_fairseq_generate(world, tmp_path):
    flags = ["--refine", 1, "--rescore", 3, "--beam", 2]
    found = hypotheses(generate(world, tmp_path / "a", *flags, "--batch-size", 50))
    assert found == hypotheses(generate(world, tmp_path / "b", *flags, "--batch-size", 4))
    plain = hypotheses(generate(world, tmp_path / "c", "--beam", 2, "--batch-size", 50))
    assert len(found) == len(plain) == PAIRS and found != plain


def test_validate_reports_the_elbo_both_reconstructions_and_what_tells_of_collapse(world):
    done = fairseq(
        "validate",
        world / "data",
        "--task",
        "vqapg",
        "--path",
        world / "generation/checkpoint_last.pt",
        "--valid-subset",
        "valid",
        "--batch-size",
        4,
        "--cpu",
    )
    log = done.stdout + done.stderr
    for name in (
        "elbo",
        "kl",
        "kl_clamped",
        "nll_question",
        "nll_question_prior",
        "nll_answer",
        "nll_answer_prior",
        "active_units",
        "mutual_information",
        "mutual_information_bound",
        "distinct_draws",
    ):
        assert re.search(rf"\| {name} -?[0-9.]+ \|", log), name


@pytest.mark.usefixtures("without_java")
def test_evaluate_and_export_read_what_was_generated(world, generated, tmp_path, capsys):
    evaluator = world / "consistency/checkpoint_last.pt"
    arguments = ["--evaluator", evaluator, "--output"]
    vqapg(
        "evaluate",
        world / "data",
        "--pairs",
        generated[0],
        "--show",
        2,
        *arguments,
        tmp_path / "metrics.json",
    )
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert (
        metrics["pairs"] == PAIRS
        and metrics["images"] == IMAGES["test"]
        and metrics["malformed"] == 0
    )
    assert metrics["unique_pairs"]["value"] == len({tokens for (tokens,) in generated[1].values()})
    vqapg(
        "export",
        generated[0],
        "--data",
        world / "data",
        "--format",
        "jsonl",
        *arguments,
        tmp_path / "pairs.jsonl",
    )
    lines = [json.loads(line) for line in (tmp_path / "pairs.jsonl").read_text().splitlines()]
    assert len(lines) == PAIRS and all(0 <= line["consistency"] <= 1 for line in lines)
    # The scores do not depend on what else was scored (four decimals are exported), and the
    # exported file counts as the generated one does.
    distinct = {
        (line["image"], line["question"], line["answer"]): line["consistency"] for line in lines
    }
    assert sum(distinct.values()) / len(distinct) == pytest.approx(
        metrics["mean_score"]["value"], abs=5.1e-5
    )
    vqapg(
        "evaluate",
        world / "data",
        "--pairs",
        tmp_path / "pairs.jsonl",
        *arguments,
        tmp_path / "again.json",
    )
    again = json.loads((tmp_path / "again.json").read_text())
    for name in ("distinct4", "unique_pairs", "consistent", "mean_score"):
        assert again[name] == metrics[name]


def test_a_resumed_run_ends_with_the_weights_of_one_left_alone(world, tmp_path):
    arguments = [*GENERATION, *OPTIMIZER, "--no-epoch-checkpoints", "--save-dir", tmp_path]
    fairseq("train", world / "data", *arguments, "--max-epoch", 5)
    fairseq("train", world / "data", *arguments, "--max-epoch", EPOCHS)
    resumed = torch.load(tmp_path / "checkpoint_last.pt")["model"]
    alone = torch.load(world / "generation/checkpoint_last.pt")["model"]
    assert resumed.keys() == alone.keys()
    for name, value in alone.items():
        if name != "_extra_state":
            assert torch.equal(value, resumed[name]), name


def test_embeddings_start_from_word_vectors_which_the_checkpoint_then_brings(world, tmp_path):
    vectors = tmp_path / "glove.txt"
    vectors.write_text("red " + " ".join(["0.5"] * 12) + "\n")
    arguments = [
        *GENERATION,
        *OPTIMIZER,
        "--embed-path",
        vectors,
        "--max-epoch",
        1,
        "--save-dir",
        tmp_path / "model",
    ]
    done = fairseq("train", world / "data", *arguments, "--no-epoch-checkpoints")
    assert "1 of 14 words (7.1%)" in done.stdout + done.stderr
    vectors.unlink()
    fairseq(
        "generate",
        world / "data",
        "--task",
        "vqapg",
        "--path",
        tmp_path / "model/checkpoint_last.pt",
        "--gen-subset",
        "test",
        "--batch-size",
        50,
        "--max-len-b",
        5,
        "--cpu",
    )
    arguments[arguments.index(vectors)] = tmp_path / "none.txt"
    done = fairseq("train", world / "data", *arguments, status=2)
    assert (
        "none.txt: cannot be read (No such file or directory); give a GloVe text file"
        in error_line(done)
    )


def error_line(done):
    assert "Traceback" not in done.stdout + done.stderr
    (line,) = [line for line in done.stderr.splitlines() if ": error: " in line]
    assert done.stderr.splitlines()[-1] == line
    return line


def test_a_checkpoint_of_another_task_is_refused_in_one_line(world, tmp_path, capsys):
    done = fairseq(
        "generate",
        world / "data",
        "--task",
        "vqapg",
        "--path",
        world / "consistency/checkpoint_last.pt",
        "--batch-size",
        4,
        "--cpu",
        status=2,
    )
    assert (
        "vqapg_consistency is no model of --task vqapg: the checkpoint is of another task"
        in error_line(done)
    )
    status = main(
        [
            "evaluate",
            str(world / "data"),
            "--pairs",
            str(world / "none.txt"),
            "--evaluator",
            str(world / "generation/checkpoint_last.pt"),
            "--output",
            str(tmp_path / "m.json"),
        ]
    )
    assert status == 2 and capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("content", [b"", b"no checkpoint at all"])
def test_what_is_no_evaluator_is_refused_in_one_line(world, generated, tmp_path, capsys, content):
    checkpoint = tmp_path / "bad.pt"
    checkpoint.write_bytes(content)
    status = main(evaluate_with(world, generated, checkpoint, tmp_path / "m.json"))
    (line,) = capsys.readouterr().err.splitlines()
    assert status == 2 and str(checkpoint) in line and "not a whole checkpoint" in line
    assert not (tmp_path / "m.json").exists()


def evaluate_with(world, generated, checkpoint, output):
    words = [world / "data", "--pairs", generated[0], "--evaluator", checkpoint, "--output", output]
    return ["evaluate", *map(str, words)]


def in_its_own_process(module, *arguments):
    """What other tests imported does not help it, and its exit status is that of a process."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    return done.returncode, error_line(done)


def test_bad_input_ends_each_program_with_status_2(world, generated, tmp_path):
    checkpoint = world / "generation/checkpoint_last.pt"
    output = tmp_path / "m.json"
    words = evaluate_with(world, generated, checkpoint, output)
    status, line = in_its_own_process("vqapg.cli.main", *words)
    assert status == 2 and f"{checkpoint}: vqapg_joint_variational is no model of" in line
    assert not output.exists()

    user_dir = REPOSITORY / "vqapg"
    flags = ["--user-dir", user_dir, *GENERATION, *OPTIMIZER, "--save-dir", tmp_path]
    status, line = in_its_own_process("fairseq_cli.train", tmp_path / "none", *flags)
    assert status == 2 and line.startswith("train.py: error: ")
    assert f"{tmp_path / 'none'}: not a finished data directory" in line

    words = ["--config-dir", REPOSITORY / "configs", "--config-name", "joint"]
    words += [f"task.data={tmp_path / 'none'}", f"common.user_dir={user_dir}"]
    words += [f"hydra.run.dir={tmp_path}"]
    status, line = in_its_own_process("fairseq_cli.hydra_train", *words)
    assert status == 2 and f"{tmp_path / 'none'}: not a finished data directory" in line


def test_resuming_over_another_dictionary_is_refused_in_one_line(world, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(world / "data", data)
    with open(data / "dict.txt", "a") as file:
        file.write("unheard 1\n")
    done = fairseq(
        "train",
        data,
        *GENERATION,
        *OPTIMIZER,
        "--max-epoch",
        20,
        "--no-save",
        "--restore-file",
        world / "generation/checkpoint_last.pt",
        status=2,
    )
    assert (
        f"{data / 'dict.txt'}: is not the dictionary that the checkpoint was trained with (20 and "
        "19" in error_line(done)
    )


@pytest.mark.parametrize(
    "flags, expected",
    [
        (["--beam", 0], "--beam must be at least 1"),
        (["--min-len", 5, "--max-len-b", 2], "--min-len 5"),
        (["--no-repeat-ngram-size", 2], "--no-repeat-ngram-size has no meaning"),
    ],
)
def test_generation_flags_that_cannot_be_are_refused_in_one_line(world, tmp_path, flags, expected):
    done = fairseq(
        "generate",
        world / "data",
        "--task",
        "vqapg",
        "--path",
        world / "generation/checkpoint_last.pt",
        "--gen-subset",
        "test",
        "--batch-size",
        4,
        "--cpu",
        *flags,
        status=2,
    )
    assert expected in error_line(done)


def test_a_size_that_cannot_be_is_refused_in_one_line(world, tmp_path):
    done = fairseq(
        "train",
        world / "data",
        *GENERATION,
        *OPTIMIZER,
        "--hidden-size",
        15,
        "--save-dir",
        tmp_path,
        status=2,
    )
    assert "--hidden-size must be even" in error_line(done)


def test_features_of_another_backbone_are_refused_in_one_line(world, tmp_path):
    other = make_data(tmp_path, backbone="resnet34")
    done = fairseq(
        "generate",
        other,
        "--task",
        "vqapg",
        "--path",
        world / "generation/checkpoint_last.pt",
        "--batch-size",
        4,
        "--cpu",
        status=2,
    )
    line = error_line(done)
    assert (
        str(other / "features.h5") in line
        and "resnet34" in line
        and "trained on features of resnet18" in line
    )


@pytest.mark.parametrize(
    "break_it, expected",
    [
        (lambda data: (data / "features.h5").unlink(), "vqapg extract-features"),
        (
            lambda data: (data / "test.image").write_text("images/none.png\n" * PAIRS),
            "images/none.png",
        ),
        (
            lambda data: [
                (data / f"test.{part}").write_text("") for part in ("image", "question", "answer")
            ],
            "empty",
        ),
        (lambda data: (data / "manifest.json").unlink(), "vqapg prepare"),
    ],
)
def test_a_broken_data_directory_is_refused_in_one_line(world, tmp_path, break_it, expected):
    data = tmp_path / "data"
    shutil.copytree(world / "data", data)
    break_it(data)
    done = fairseq(
        "generate",
        data,
        "--task",
        "vqapg",
        "--path",
        world / "generation/checkpoint_last.pt",
        "--gen-subset",
        "test",
        "--batch-size",
        4,
        "--cpu",
        status=2,
    )
    assert expected in error_line(done)


def test_a_model_of_the_other_task_cannot_be_trained(world, tmp_path):
    wrong = ["--task", "vqapg", *CONSISTENCY[2:]]
    done = fairseq(
        "train",
        world / "data",
        *wrong,
        *OPTIMIZER,
        "--max-epoch",
        1,
        "--save-dir",
        tmp_path,
        status=2,
    )
    assert "vqapg_consistency is no model of --task vqapg" in error_line(done)
