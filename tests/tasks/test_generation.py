from types import SimpleNamespace

import pytest
import torch
from fairseq.logging import metrics

from tests.support.generation_models import build, criterion, sample_of
from vqapg.errors import InputError
from vqapg.generation.beam_search import BeamSearch
from vqapg.generation.token_rules import TokenRules
from vqapg.tasks.data_task import DataDirectoryTask
from vqapg.tasks.vqapg import GenerationConfig, GenerationTask


@pytest.fixture
def task(dictionary):
    """The task without a data directory."""
    task = GenerationTask.__new__(GenerationTask)
    task.cfg = GenerationConfig(data="none", seed=1, valid_draws=6)
    task.dictionary = dictionary
    return task


def test_several_models_are_refused(task):
    with pytest.raises(InputError, match="--path names 2 checkpoints"):
        task.build_generator(["one", "another"], SimpleNamespace())


def variational(dictionary, features, name="vqapg_pipeline_variational"):
    model = build(name, dictionary, features)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)  # far enough from uniform for z to be seen
    return model


def test_validation_counts_the_distinct_pairs_of_several_draws(task, dictionary, features, batch):
    model = variational(dictionary, features)
    sample = sample_of(batch) | {"id": torch.tensor([50, 51, 100, 7])}
    _, _, log = task.valid_step(sample, model, criterion(dictionary))
    greedy = BeamSearch(TokenRules(2, (0, 1, 4), 3, max_len=50), beam=1)
    # One draw at a time, of the pairs whose number is a multiple of 50
    expected = 0
    for row in (0, 2):
        texts = set()
        for draw in range(6):
            keys = batch["noise_keys"][[row]].copy()
            keys[:, 1] = draw
            ((pair,),) = model.generate(
                batch["features"], batch["image_index"][[row]], keys, greedy
            )
            texts.add(tuple(tuple(pair[text].tokens.tolist()) for text in ("question", "answer")))
        expected += len(texts)
    assert log["drawn_for"] == 2 and log["distinct_draws"] == expected > 2


def test_the_mean_is_over_all_batches_also_those_without_a_chosen_pair(
    task, dictionary, features, batch
):
    model, elbo = variational(dictionary, features), criterion(dictionary)
    logs = [
        task.valid_step(sample_of(batch) | {"id": torch.tensor(ids)}, model, elbo)[2]
        for ids in ([50, 51, 100, 7], [1, 2, 3, 4], [5, 6, 7, 150])
    ]
    assert [log["drawn_for"] for log in logs] == [2, 0, 1]
    with metrics.aggregate() as values:
        for log in logs:
            task.reduce_metrics([log], elbo)
    expected = sum(log["distinct_draws"] for log in logs) / 3
    assert values.get_smoothed_value("distinct_draws") == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("name, draws", [("vqapg_joint", 6), ("vqapg_joint_variational", 0)])
def test_nothing_is_drawn_without_latent_variable_or_when_told_not_to(
    task, dictionary, features, batch, name, draws
):
    task.cfg.valid_draws = draws
    sample = sample_of(batch) | {"id": torch.arange(4)}
    _, _, log = task.valid_step(sample, build(name, dictionary, features), criterion(dictionary))
    assert "distinct_draws" not in log


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"valid_draws": -1}, "--valid-draws must be at least 0"),
        ({"latent_temperature": -0.1}, "--latent-temperature must be at least 0"),
        ({"latent_temperature": float("nan")}, "--latent-temperature must be at least 0"),
        ({"latent_temperature": float("inf")}, "--latent-temperature must be at least 0"),
    ],
)
def test_options_that_cannot_be_are_refused_before_any_work(monkeypatch, changes, message):
    monkeypatch.setattr(DataDirectoryTask, "__init__", lambda self, cfg: None)
    with pytest.raises(InputError, match=message):
        GenerationTask(GenerationConfig(data="none", seed=1, **changes))
