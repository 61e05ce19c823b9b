"""Lines of fairseq's log, as fairseq 0.12 writes them, become lines for people."""

import pytest

from vqapg.study.training_log import TrainingLog, collapse

HEAD = "2026-11-27 06:00:00 | INFO | "
BEGIN = f"{HEAD}fairseq.trainer | begin training epoch {{}}\n"
SETTINGS = f"{HEAD}fairseq_cli.train | {{'_name': None, 'epoch': 1}}\n"
DEV = (
    f"{HEAD}valid | epoch {{:03d}} | valid on 'valid' subset | loss 13.5 | nll_question 3.1 "
    "| kl 4.914 | kl_clamped 5.02 | elbo -11.204 | ppl 1.5 | distinct_draws 7.31 | wps 0\n"
)
TRAIN = f"{HEAD}train | epoch {{:03d}} | loss 12.3412 | kl 4.1 | elbo -10 | ups 3 | wall 60\n"


def log_of(tmp_path, text):
    path = tmp_path / "train.log"
    path.write_text(text)
    return TrainingLog(path, 0)


def test_an_epoch_of_a_generator_is_a_line(tmp_path):
    log = log_of(tmp_path, SETTINGS + BEGIN.format(3) + DEV.format(3) + TRAIN.format(3))
    [epoch] = log.read()
    assert log.started
    assert epoch.line(8, 240) == (
        "epoch 3 of 8: loss 12.34; on dev ELBO -11.20, KL 4.91, 7.3 distinct draws; "
        "about 4 min left"
    )
    assert epoch.line(None, None).startswith("epoch 3: loss 12.34; on dev ELBO")
    assert epoch.line(None, None).endswith("7.3 distinct draws")


def test_an_epoch_of_an_evaluator_has_its_accuracy(tmp_path):
    dev = f"{HEAD}valid | epoch 002 | valid on 'valid' subset | loss 0.09 | accuracy 91.24\n"
    train = f"{HEAD}train | epoch 002 | loss 0.0812 | accuracy 93 | ups 3\n"
    [epoch] = log_of(tmp_path, dev + train).read()
    assert (
        epoch.line(20, 10) == "epoch 2 of 20: loss 0.0812; on dev accuracy 91.2%; about 10 s left"
    )


def test_a_pipeline_has_the_kl_of_both_sub_models(tmp_path):
    train = (
        f"{HEAD}train | epoch 001 | loss 9 | kl_question 1.5 | kl_answer 2 | kl_clamped_answer 5\n"
    )
    [epoch] = log_of(tmp_path, train).read()
    # Nothing was validated.
    assert epoch.line(1, None) == "epoch 1 of 1: loss 9; KL 3.50"


def test_format_json_gives_the_same_line(tmp_path):
    dev = (
        '{"epoch": 3, "valid_elbo": "-11.204", "valid_kl": "4.914", "valid_distinct_draws": "7.31"}'
    )
    train = '{"epoch": 3, "train_loss": "12.3412", "train_kl": "4.1"}'
    inner = '{"epoch": 3, "update": 2.5, "loss": "20"}'
    lines = [("train_inner", inner), ("valid", dev), ("train", train)]
    text = "".join(f"{HEAD}{tag} | {figures}\n" for tag, figures in lines)
    [epoch] = log_of(tmp_path, text).read()
    assert epoch.line(8, None) == (
        "epoch 3 of 8: loss 12.34; on dev ELBO -11.20, KL 4.91, 7.3 distinct draws"
    )


def test_json_line_of_two_processes_is_passed_over(tmp_path):
    joined = '{"epoch": 1, "train_loss": "12"}{"epoch": 1, "train_loss": "12"}'
    log = log_of(tmp_path, f"{HEAD}train | {joined}\n" + TRAIN.format(2))
    assert [epoch.number for epoch in log.read()] == [2]


def test_log_that_was_taken_away_has_no_more_epochs(tmp_path):
    log = log_of(tmp_path, TRAIN.format(1))
    log.path.unlink()
    assert log.read() == []


def test_a_line_half_written_is_read_when_it_is_whole(tmp_path):
    whole = TRAIN.format(1)
    log = log_of(tmp_path, whole[:40])
    assert log.read() == []
    log.path.write_text(whole + BEGIN.format(2))
    assert [epoch.number for epoch in log.read()] == [1]
    assert log.read() == []


def test_what_an_earlier_training_wrote_is_passed_over(tmp_path):
    path = tmp_path / "train.log"
    path.write_text("fairseq-train: error: old\n" + TRAIN.format(1))
    log = TrainingLog(path, path.stat().st_size)
    with open(path, "a") as file:
        file.write("new\n\n" + TRAIN.format(2))
    assert [epoch.number for epoch in log.read()] == [2]


def test_updates_within_an_epoch_are_kept_for_long_epochs(tmp_path):
    log = log_of(tmp_path, f"{HEAD}train_inner | epoch 002:    100 / 545 loss=3.2, kl=1\n")
    assert log.read() == [] and log.update == "epoch 2: update 100 of 545"


def epochs_with(tmp_path, *figures):
    text = "".join(
        f"{HEAD}valid | epoch {number:03d} | valid on 'valid' subset | {shown}\n"
        f"{HEAD}train | epoch {number:03d} | loss 9\n"
        for number, shown in enumerate(figures, start=1)
    )
    return log_of(tmp_path, text).read()


USED = "kl 3 | distinct_draws 5"
SAME = "every draw of an image gives the same pair"


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("kl 4.9 | distinct_draws 1.0", f"{SAME} (KL 4.90 nats, 1.0 distinct draws)"),
        ("kl 0.03 | distinct_draws 1.0", f"{SAME} (KL 0.03 nats, 1.0 distinct draws)"),
        ("kl 0.03 | distinct_draws 3", "the latent variable says nothing (KL 0.03 nats)"),
        (
            "kl_question 5 | kl_answer 0.02 | distinct_draws 7.3",
            "the latent variable of the answer says nothing (KL 0.02 nats)",
        ),
        (
            "kl_question 0.01 | kl_answer 0.02 | distinct_draws 7.3",
            "the latent variable of the question says nothing (KL 0.01 nats) and "
            "the latent variable of the answer says nothing (KL 0.02 nats)",
        ),
    ],
)
def test_collapse_warning_names_what_failed(tmp_path, last, told):
    epochs = epochs_with(tmp_path, USED, last, last)
    warning = f"warning: {told}. Train longer (--max-epoch)"
    assert collapse(epochs, True) == warning
    assert collapse(epochs, False) == (
        f"{warning}, or from the start with --free-bits-mode train-prior"
    )


@pytest.mark.parametrize(
    "figures",
    [
        ["kl 0.03 | distinct_draws 1", "kl 0.2 | distinct_draws 1.2"],
        # One epoch alone tells nothing.
        ["kl 0.03 | distinct_draws 1"],
        ["kl 0.03 | distinct_draws 3", "kl 4 | distinct_draws 1"],
        ["elbo -3", "elbo -2"],
        [],
    ],
)
def test_no_collapse_is_told_where_z_is_used_or_absent(tmp_path, figures):
    assert collapse(epochs_with(tmp_path, *figures), False) is None
