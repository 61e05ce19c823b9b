import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fairseq.logging import metrics

from vqapg.criterions.consistency_loss import ConsistencyCriterion
from vqapg.models.consistency_evaluator import ConsistencyModel, EvaluatorConfig, Judgement


def evaluator_batch(batch):
    inputs = {name: batch[name] for name in ("features", "question", "answer")}
    inputs["triples"] = torch.tensor([[0, 0, 0], [1, 1, 1], [1, 2, 2], [2, 3, 3], [2, 0, 1]])
    return {
        "net_input": inputs,
        "labels": torch.tensor([1.0, 1, 1, 1, 0]),
        "nsentences": 4,
        "ntokens": 30,
    }


@pytest.fixture
def model(dictionary, features):
    torch.manual_seed(0)
    return ConsistencyModel(
        EvaluatorConfig(hidden_size=8, embed_dim=6), dictionary, features
    ).eval()


def test_score_is_equation_6_for_each_triple(model, batch):
    inputs = evaluator_batch(batch)["net_input"]
    logits = model(**inputs).logits
    for logit, (image, question, answer) in zip(logits, inputs["triples"].tolist()):
        regions = model.image_encoder(inputs["features"][image : image + 1])
        texts = [
            model.text_encoder(inputs[name][row : row + 1]).sequence
            for name, row in (("question", question), ("answer", answer))
        ]
        expected = model.score(model.attention(torch.cat(texts, dim=1), regions))
        torch.testing.assert_close(logit, expected[0, 0], atol=1e-5, rtol=1e-4)


def test_loss_and_accuracies_of_hand_written_scores(model, batch, dictionary, monkeypatch):
    scores = torch.tensor([0.9, 0.6, 0.4, 0.8, 0.7])
    monkeypatch.setattr(model, "forward", lambda **inputs: Judgement(torch.logit(scores)))
    criterion = ConsistencyCriterion(SimpleNamespace(target_dictionary=dictionary))
    loss, size, log = criterion(model, evaluator_batch(batch))
    expected = 0.1**2 + 0.4**2 + 0.6**2 + 0.2**2 + 0.7**2
    assert size == 5
    assert loss.item() == pytest.approx(expected, abs=1e-5)
    with metrics.aggregate() as values:
        ConsistencyCriterion.reduce_metrics([log, log])
    assert values.get_smoothed_value("loss") == pytest.approx(expected / 5, abs=1e-4)
    assert values.get_smoothed_value("accuracy") == pytest.approx(60)
    assert values.get_smoothed_value("accuracy_positives") == pytest.approx(75)
    assert values.get_smoothed_value("accuracy_negatives") == pytest.approx(0)


def test_accuracies_weigh_batches_by_their_positives_and_negatives():
    def log(positives, right_positives, negatives, right_negatives):
        return {
            "loss": 1.0,
            "ntokens": 9,
            "nsentences": positives,
            "sample_size": positives + negatives,
            "positives": positives,
            "right_positives": right_positives,
            "right_negatives": right_negatives,
        }

    one, other = log(4, 1, 1, 1), log(2, 2, 5, 0)
    with metrics.aggregate() as apart:
        ConsistencyCriterion.reduce_metrics([one])
        ConsistencyCriterion.reduce_metrics([other])
    with metrics.aggregate() as summed:
        ConsistencyCriterion.reduce_metrics([{name: one[name] + other[name] for name in one}])
    assert ConsistencyCriterion.logging_outputs_can_be_summed()
    for values in (apart, summed):
        names = ("accuracy", "accuracy_positives", "accuracy_negatives")
        found = [values.get_smoothed_value(name) for name in names]
        assert found == pytest.approx([100 * 4 / 12, 100 * 3 / 6, 100 * 1 / 6], abs=0.01)
        assert values.get_smoothed_value("loss") == pytest.approx(2 / 12, abs=1e-4)


def test_a_batch_without_negatives_reports_no_accuracy_of_them(model, batch, dictionary):
    sample = evaluator_batch(batch)
    sample["net_input"]["triples"] = sample["net_input"]["triples"][:4]
    sample["labels"] = sample["labels"][:4]
    log = ConsistencyCriterion(SimpleNamespace(target_dictionary=dictionary))(model, sample)[2]
    with metrics.aggregate() as values:
        ConsistencyCriterion.reduce_metrics([log])
    assert "accuracy_negatives" not in values.get_smoothed_values()
    assert np.isfinite(values.get_smoothed_value("accuracy"))


def test_gradients_of_parts_of_a_batch_add_up(dictionary, features, batch):
    """--update-freq and data parallel training rely on it.

    fairseq divides by the sum of the sample sizes.
    """
    torch.manual_seed(0)
    cfg = EvaluatorConfig(hidden_size=8, embed_dim=6, dropout=0.0)
    model = ConsistencyModel(cfg, dictionary, features).train()
    criterion = ConsistencyCriterion(SimpleNamespace(target_dictionary=dictionary))

    def gradients(*parts):
        model.zero_grad()
        total = 0
        for rows in parts:
            sample = evaluator_batch(batch)
            sample["net_input"]["triples"] = sample["net_input"]["triples"][rows]
            sample["labels"] = sample["labels"][rows]
            loss, size, _ = criterion(model, sample)
            loss.backward()
            total += size
        return {name: p.grad / total for name, p in model.named_parameters()}

    torch.testing.assert_close(
        gradients([0], [1, 2, 3, 4]), gradients([0, 1, 2, 3, 4]), atol=1e-7, rtol=1e-4
    )


def test_training_in_bfloat16_has_the_loss_and_gradient_of_float32(dictionary, features, batch):
    torch.manual_seed(0)
    cfg = EvaluatorConfig(hidden_size=8, embed_dim=6, dropout=0.0)
    model = ConsistencyModel(cfg, dictionary, features).train()
    low = copy.deepcopy(model).bfloat16()
    criterion = ConsistencyCriterion(SimpleNamespace(target_dictionary=dictionary))
    loss, low_loss = (criterion(m, evaluator_batch(batch))[0] for m in (model, low))
    assert low_loss.dtype == torch.float32
    assert low_loss.item() == pytest.approx(loss.item(), rel=0.02)
    loss.backward()
    low_loss.backward()
    gradient, low_gradient = (
        torch.cat([p.grad.float().flatten() for p in m.parameters()]) for m in (model, low)
    )
    assert torch.cosine_similarity(gradient, low_gradient, dim=0) > 0.99


def test_scores_of_bfloat16_logits_are_computed_in_float32(model, batch, dictionary, monkeypatch):
    logits = torch.tensor([6.3, 5.1, -2.2, 4.7, -3.9]).bfloat16()
    criterion = ConsistencyCriterion(SimpleNamespace(target_dictionary=dictionary))
    losses = []
    for given in (logits, logits.float()):
        monkeypatch.setattr(model, "forward", lambda **inputs: Judgement(given))
        losses.append(criterion(model, evaluator_batch(batch))[0])
    assert losses[0] == losses[1]
