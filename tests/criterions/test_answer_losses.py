"""The losses over answers, against slow sums."""

import math
from types import SimpleNamespace

import pytest
import torch
from fairseq.logging import metrics

from vqapg.criterions.answer_losses import answer_prediction_loss, contrastive_loss
from vqapg.criterions.consistency_loss import ConsistencyCriterion
from vqapg.models.consistency_evaluator import ConsistencyModel, EvaluatorConfig

SCORES = torch.tensor([[1.0, 2.0, -1.0, 0.5], [0.0, 3.0, 1.0, -2.0], [2.0, 2.0, 2.0, 2.0]])
GOLD = torch.tensor([0, 1, 3])
# Answer 1 is right for the first pair too; to the last, all are.
RIGHT = torch.tensor([[1, 1, 0, 0], [0, 1, 0, 0], [1, 1, 1, 1]]).bool()


def slow_contrastive(scores, gold, right):
    total = 0.0
    for row, own, allowed in zip(scores.tolist(), gold.tolist(), right.tolist()):
        wrong = [math.exp(score) for score, fits in zip(row, allowed) if not fits]
        total -= math.log(math.exp(row[own]) / (math.exp(row[own]) + sum(wrong)))
    return total


def test_contrastive_loss_leaves_out_other_right_answers():
    found = contrastive_loss(SCORES, GOLD, RIGHT).item()
    assert found == pytest.approx(slow_contrastive(SCORES, GOLD, RIGHT), rel=1e-6)
    assert found > slow_contrastive(SCORES[1:], GOLD[1:], RIGHT[1:])
    # Nothing is left to compare the last pair's answer with.
    assert contrastive_loss(SCORES[2:], GOLD[2:], RIGHT[2:]).item() == 0


def test_contrastive_loss_gives_right_answers_no_gradient():
    scores = SCORES.clone().requires_grad_()
    contrastive_loss(scores, GOLD, RIGHT).backward()
    assert scores.grad[0, 1] == 0 and scores.grad[0, 0] < 0 < scores.grad[0, 2]
    assert not scores.grad[2].any() and scores.grad.isfinite().all()


def test_answer_prediction_counts_frequent_answers_only():
    loss, predicted = answer_prediction_loss(SCORES, torch.tensor([2, 4, -1]))
    expected = -math.log(math.exp(-1) / sum(math.exp(score) for score in SCORES[0].tolist()))
    assert loss.item() == pytest.approx(expected, rel=1e-6) and predicted == 1
    loss, predicted = answer_prediction_loss(SCORES, torch.tensor([-1, 9, 4]))
    assert loss.item() == 0 and predicted == 0


@pytest.fixture
def sample(batch):
    inputs = {name: batch[name] for name in ("features", "question", "answer")}
    inputs["triples"] = torch.tensor([[0, 0, 0], [1, 1, 1], [1, 2, 2], [2, 3, 3], [2, 0, 1]])
    return {
        "net_input": inputs,
        "labels": torch.tensor([1.0, 1, 1, 1, 0]),
        "right_answers": torch.eye(4).bool() | torch.tensor([False, False, True, False]),
        "answer_ranks": torch.tensor([2, 0, 7, -1]),
        "nsentences": 4,
        "ntokens": 30,
    }


@pytest.fixture
def make(dictionary, features):
    def make(**options):
        torch.manual_seed(0)
        cfg = EvaluatorConfig(hidden_size=8, embed_dim=6, dropout=0.0, answer_classes=3, **options)
        return ConsistencyModel(cfg, dictionary, features)

    return make


@pytest.fixture
def criterion(dictionary):
    return ConsistencyCriterion(SimpleNamespace(target_dictionary=dictionary))


def test_total_is_the_weighted_sum_over_the_pairs(make, criterion, sample):
    model = make(contrastive_weight=0.5, answer_prediction_weight=2.0)
    loss, size, log = criterion(model, sample)
    judgement = model(**sample["net_input"])
    labels = sample["labels"].tolist()
    square = sum((s - y) ** 2 for s, y in zip(judgement.logits.sigmoid().tolist(), labels))
    gold = torch.arange(4)
    contrastive = slow_contrastive(judgement.answer_scores[:4], gold, sample["right_answers"])
    # The first two pairs have one of the three answers.
    predicted = -sum(
        judgement.answer_logits[row].log_softmax(0)[rank].item() for row, rank in ((0, 2), (1, 0))
    )
    expected = square + 0.5 * contrastive + 2 * predicted
    assert size == 5 and loss.item() == pytest.approx(expected, rel=1e-5)
    with metrics.aggregate() as values:
        ConsistencyCriterion.reduce_metrics([log, log])
    assert values.get_smoothed_value("contrastive") == pytest.approx(contrastive / 4, abs=1e-3)
    assert values.get_smoothed_value("answer_prediction") == pytest.approx(predicted / 2, abs=1e-3)


@pytest.mark.parametrize(
    "options",
    [
        {"question_attention": True},
        {"contrastive_weight": 1.0},
        {"answer_prediction_weight": 1.0},
        {"question_attention": True, "contrastive_weight": 1.0, "answer_prediction_weight": 1.0},
    ],
)
def test_every_parameter_gets_a_gradient(make, criterion, sample, options):
    model = make(**options).train()
    criterion(model, sample)[0].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_paper_evaluator_needs_no_targets(make, criterion, sample):
    for name in ("right_answers", "answer_ranks"):
        del sample[name]
    log = criterion(make(), sample)[2]
    assert not {"contrastive", "answer_prediction"} & set(log)
