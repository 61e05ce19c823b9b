"""What may be added to the paper's evaluator, one change at a time."""

import pytest
import torch

from tests.support.generation_models import build
from vqapg.errors import InputError
from vqapg.tasks.checkpoints import load_evaluator

CHANGES = {
    "question_attention": True,
    "contrastive_weight": 0.5,
    "answer_prediction_weight": 0.5,
}


@pytest.fixture
def inputs(batch):
    names = ("features", "question", "answer")
    return {name: batch[name] for name in names} | {
        "triples": torch.tensor([[0, 0, 0], [1, 1, 1], [1, 2, 2], [2, 3, 3], [2, 0, 1]])
    }


@pytest.fixture
def make(dictionary, features):
    return lambda **options: build("vqapg_consistency", dictionary, features, **options)


def slow_parts(model, inputs, triple):
    """Of one triple: f(h_Q (+) h_A, h), f(h_Q, h), and h_A; each by itself."""
    image, question, answer = triple
    regions = model.image_encoder(inputs["features"][image : image + 1])[0]
    question, answer = (
        model.text_encoder(inputs[name][row : row + 1]).sequence[0]
        for name, row in (("question", question), ("answer", answer))
    )

    def attend(attention, query):
        query = attention.project(query)
        weights = torch.stack([query @ region for region in regions]).softmax(0)
        attended = sum(weight * region for weight, region in zip(weights, regions))
        return attention.mlp(torch.cat([query, attended]))

    fused = attend(model.attention, torch.cat([question, answer]))
    found = None if model.question_attention is None else attend(model.question_attention, question)
    return fused, found, answer


@pytest.mark.parametrize(
    "changes",
    [
        (),
        ("question_attention",),
        ("contrastive_weight",),
        ("answer_prediction_weight",),
        tuple(CHANGES),
    ],
    ids=lambda changes: "+".join(changes) or "paper",
)
def test_judgement_is_that_of_each_triple_alone(make, inputs, changes):
    model = make(answer_classes=3, **{name: CHANGES[name] for name in changes})
    judgement = model(**inputs)
    assert (judgement.answer_scores is None) == ("contrastive_weight" not in changes)
    assert (judgement.answer_logits is None) == ("answer_prediction_weight" not in changes)
    answers = [slow_parts(model, inputs, (0, 0, row))[2] for row in range(4)]
    for row, triple in enumerate(inputs["triples"].tolist()):
        fused, found, answer = slow_parts(model, inputs, triple)
        if "question_attention" in changes:
            fused = torch.cat([fused, found * model.gate(answer)])
        expected = model.score(fused)[0]
        if "contrastive_weight" in changes:
            scores = torch.stack([(found * model.match(other)).sum() for other in answers])
            expected = expected + scores[triple[2]]
            torch.testing.assert_close(judgement.answer_scores[row], scores, atol=1e-5, rtol=1e-4)
        if "answer_prediction_weight" in changes:
            torch.testing.assert_close(
                judgement.answer_logits[row], model.predict(found), atol=1e-5, rtol=1e-4
            )
            assert judgement.answer_logits.shape == (5, 3)
        torch.testing.assert_close(judgement.logits[row], expected, atol=1e-5, rtol=1e-4)


def test_the_papers_evaluator_has_none_of_the_parts(make):
    # Its checkpoints go on being read: the names of weights are those of before.
    names = {name.split(".")[0] for name in make().state_dict()}
    assert names == {
        "image_encoder",
        "embedding",
        "text_encoder",
        "attention",
        "score",
        "_extra_state",
    }


def test_checkpoint_alone_gives_the_changed_evaluator_back(checkpoint):
    path = checkpoint("vqapg_consistency", answer_classes=3, **CHANGES)
    found, saved = load_evaluator(path).model.state_dict(), torch.load(path)["model"]
    assert found.keys() == saved.keys() > {"gate.weight", "match.weight", "predict.3.bias"}
    assert all(torch.equal(found[name], saved[name]) for name in saved)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"contrastive_weight": -1.0}, "--contrastive-weight must be at least 0 and finite, not -"),
        ({"answer_prediction_weight": float("inf")}, "--answer-prediction-weight must be at least"),
        ({"answer_classes": 0}, "--answer-classes must be at least 1, not 0"),
    ],
)
def test_weights_that_cannot_be_are_refused(make, options, message):
    with pytest.raises(InputError, match=message):
        make(**options)
