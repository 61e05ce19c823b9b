import numpy as np
import pytest
import torch

from tests.support.generation_models import build, generate
from tests.support.generation_models import generation_options as options
from vqapg.errors import InputError
from vqapg.generation.pair_generator import PairGenerator
from vqapg.modules.noise import Stream
from vqapg.tokens import SEPARATOR


@pytest.fixture
def model(dictionary, features):
    return build("vqapg_joint_variational", dictionary, features)


def test_a_pair_is_the_question_the_separator_and_the_answer(model, dictionary, batch):
    separator = dictionary.index(SEPARATOR)
    for (hypothesis,) in generate(model, dictionary, batch):
        tokens = hypothesis["tokens"].tolist()
        assert tokens.count(separator) == 1 and tokens.count(dictionary.eos()) == 1
        assert tokens[-1] == dictionary.eos() and 0 < tokens.index(separator) < len(tokens) - 2
        assert len(hypothesis["positional_scores"]) == len(tokens)


@pytest.mark.parametrize("unnormalized", [False, True])
def test_nbest_are_the_best_pairs_of_both_beams(model, dictionary, batch, unnormalized):
    found = generate(model, dictionary, batch, beam=3, nbest=4, unnormalized=unnormalized)
    generator = PairGenerator(
        model, dictionary, dictionary.index(SEPARATOR), options(beam=3, unnormalized=unnormalized)
    )
    with torch.no_grad():
        texts = model.generate(
            batch["features"], batch["image_index"], batch["noise_keys"], generator.search
        )
    for row, pairs in enumerate(texts):
        assert (
            len({tuple(pair["question"].tokens.tolist()) for pair in pairs}) == 3
            and len(pairs) == 9
        )
        scores = []
        for pair in pairs:
            log_probs = [*pair["question"].log_probs.tolist(), *pair["answer"].log_probs.tolist()]
            scores.append(sum(log_probs) / (1 if unnormalized else len(log_probs)))
        expected = sorted(scores, reverse=True)[:4]
        assert [h["score"] for h in found[row]] == pytest.approx(expected, abs=1e-4)
        # The score is that of the tokens shown.
        for h in found[row]:
            length = 1 if unnormalized else len(h["tokens"])
            assert h["score"] == pytest.approx(
                h["positional_scores"].sum().item() / length, abs=1e-5
            )


def test_every_draw_has_a_latent_variable_of_its_own(model, dictionary, batch, monkeypatch):
    seen = []
    original = model.sample
    monkeypatch.setattr(model, "sample", lambda *inputs: seen.append(original(*inputs)) or seen[-1])
    found = generate(model, dictionary, batch, sampling=True, beam=3, nbest=3)
    assert [len(hypotheses) for hypotheses in found] == [3, 3, 3, 3]
    latent = seen[0].latent
    assert latent.shape == (12, 4) and len(np.unique(latent.numpy().round(5), axis=0)) == 12


def test_question_and_answer_draw_different_numbers(model, dictionary, batch):
    streams = []

    def search(decoder, memory, state, noise_keys):
        streams.append(decoder.stream)
        return []

    model.generate(batch["features"], batch["image_index"], batch["noise_keys"], search)
    assert streams == [Stream.QUESTION, Stream.ANSWER]


@pytest.mark.parametrize(
    "changes, flag",
    [
        ({"prefix_size": 1}, "--prefix-size"),
        ({"no_repeat_ngram_size": 3}, "--no-repeat-ngram-size"),
        ({"temperature": 0.0}, "--temperature"),
        ({"temperature": float("nan")}, "--temperature"),
        ({"lenpen": float("nan")}, "--lenpen"),
        ({"unkpen": float("inf")}, "--unkpen"),
        ({"sampling_topk": -7}, "--sampling-topk"),
        ({"sampling_topp": 1.5}, "--sampling-topp"),
        ({"sampling_topp": float("nan")}, "--sampling-topp"),
    ],
)
def test_options_without_meaning_are_refused_by_name(model, dictionary, changes, flag):
    with pytest.raises(InputError, match=flag):
        PairGenerator(model, dictionary, dictionary.index(SEPARATOR), options(**changes))


def test_generation_turns_dropout_off(dictionary, features, batch):
    model = build("vqapg_joint_variational", dictionary, features, dropout=0.5)
    runs = []
    for _ in range(2):
        found = generate(model.train(), dictionary, batch, beam=2)
        runs.append([(h["tokens"].tolist(), h["score"]) for (h,) in found])
    assert runs[0] == runs[1]
