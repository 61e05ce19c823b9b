import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.generation_models import generation_options
from vqapg import load
from vqapg.data.given_image import open_given
from vqapg.data.pair_dataset import pad
from vqapg.errors import InputError
from vqapg.generation.pair_generator import PairGenerator
from vqapg.sampling.images import find_images
from vqapg.sampling.options import SamplingOptions
from vqapg.sampling.pair_draws import LONGEST, pair_generator
from vqapg.sampling.region_weights import region_weights_of
from vqapg.sampling.sampler import _chosen
from vqapg.tokens import SEPARATOR

# Words are drawn too, so that untrained models say different things.
DRAWN = {"sampling": True, "temperature": 1.5}
SEARCHED = {"sampling": False, "beam": 2, "latent_temperature": 3.0}


def inputs(sampler, photos):
    """Features of all photos and their numbers."""
    opened = [image.open() for image in find_images([photos])]
    pixels = torch.stack([sampler.backbone.preprocessing.resize(picture) for picture, _ in opened])
    return sampler.features(pixels), [number for _, number in opened]


def options(**changes):
    return SamplingOptions(**({"num_samples": 6, **DRAWN} | changes))


def texts(pairs):
    return [(pair.question, pair.answer) for pair in pairs]


def told(sampled):
    """Everything that tells one result from another."""
    return [
        [(*texts([pair])[0], pair.score, pair.consistency, pair.draw) for pair in pairs]
        for pairs in sampled
    ]


@pytest.mark.parametrize(
    ("name", "order", "how"),
    [
        ("vqapg_joint_variational", None, DRAWN),
        ("vqapg_joint_variational", None, SEARCHED),
        ("vqapg_pipeline_variational", "aq", DRAWN),
        ("vqapg_pipeline_variational", "qa", SEARCHED),
        ("vqapg_sequential_variational", "qa", DRAWN),
        ("vqapg_joint_variational", None, {**DRAWN, "refine": 1, "rescore": 3}),
        ("vqapg_sequential_variational", "aq", {**DRAWN, "refine": 1, "rescore": 2}),
        ("vqapg_pipeline_variational", "qa", {**DRAWN, "refine": 2, "rescore": 2}),
    ],
)
def test_the_pairs_do_not_hang_on_the_batch(sampler, photos, name, order, how):
    model = sampler(name, order=order)
    features, numbers = inputs(model, photos)
    together = told(model.sample_batch(features, numbers, options(**how)))
    assert sum(map(len, together)) >= 4
    for rows_at_once in (1, 4):
        assert told(model.sample_batch(features, numbers, options(**how), rows_at_once)) == together
    back = model.sample_batch(features[::-1].copy(), numbers[::-1], options(**how))
    assert told(back)[::-1] == together
    alone = [
        model.sample_batch(features[i : i + 1], numbers[i : i + 1], options(**how))[0]
        for i in range(len(numbers))
    ]
    assert told(alone) == together


def test_fewer_draws_are_the_first_of_more_and_seeds_differ(sampler, photos):
    model = sampler("vqapg_joint_variational", evaluator=False)
    many = model.sample(photos / "0.png", n=8, **DRAWN)
    few = model.sample(photos / "0.png", n=3, **DRAWN)
    assert [pair for pair in many if pair.draw < 3] == few
    assert texts(model.sample(photos / "0.png", n=8, seed=2, **DRAWN)) != texts(many)
    assert [pair.draw for pair in many] == sorted({pair.draw for pair in many})


def test_a_draw_is_what_the_model_generates_by_its_noise_key(sampler, photos, dictionary):
    model = sampler("vqapg_joint_variational", evaluator=False)
    picture, number = open_given(photos / "1.png")
    features = model.features(model.backbone.preprocessing.resize(picture).unsqueeze(0))
    drawn = {pair.draw: pair for pair in model.sample(photos / "1.png", n=4, seed=3, **DRAWN)}
    generator = PairGenerator(
        model.model,
        dictionary,
        dictionary.index(SEPARATOR),
        generation_options(beam=1, max_len_b=LONGEST, unkpen=1e9, **DRAWN),
    )
    ((hypothesis,),) = generator.best(
        torch.from_numpy(features), torch.tensor([0]), np.array([[3, 2, number]])
    )
    question, answer = dictionary.string(hypothesis["tokens"]).split(f" {SEPARATOR} ")
    assert (
        drawn[2].question.replace("?", " ?").split(),
        drawn[2].answer.replace("?", " ?").split(),
    ) == (question.split(), answer.split())
    assert drawn[2].score == pytest.approx(hypothesis["score"], abs=1e-4)
    assert set(drawn[2].region_weights) == {"pair"}
    assert drawn[2].region_weights["pair"].array.shape == model.grid == (2, 2)


def test_each_pair_once_and_no_unknown_word(sampler, photos):
    model = sampler("vqapg_joint_variational", hidden_size=8)
    with torch.no_grad():
        # A model that would say mostly the unknown word, or nothing but one word
        for decoder in (model.model.question_decoder, model.model.answer_decoder):
            decoder.output.bias[model.dictionary.unk()] = 50
            decoder.output.bias[model.dictionary.index("yes")] = 20
            decoder.output.bias[model.dictionary.eos()] = 20
    pairs = model.sample(photos / "0.png", n=20, **DRAWN)
    assert len(set(texts(pairs))) == len(pairs) < 20
    assert not any("unk" in text for pair in texts(pairs) for text in pair)


def test_the_consistency_is_the_evaluators(sampler, photos, dictionary):
    model = sampler("vqapg_joint_variational")
    picture, _ = open_given(photos / "2.png")
    features = model.features(model.backbone.preprocessing.resize(picture).unsqueeze(0))
    pairs = model.sample(photos / "2.png", n=6, **DRAWN)
    assert [pair.consistency for pair in pairs] == sorted(
        (pair.consistency for pair in pairs), reverse=True
    )
    for pair in pairs:
        words = [text.replace("?", " ?") for text in (pair.question, pair.answer)]
        with torch.no_grad():
            judgement = model.judge.model(
                torch.from_numpy(features),
                pad(words[:1], dictionary),
                pad(words[1:], dictionary),
                torch.tensor([[0, 0, 0]]),
            )
        assert pair.consistency == pytest.approx(judgement.logits.sigmoid().item(), abs=1e-4)


def test_choosing_keeps_few_above_the_minimum(sampler, photos):
    model = sampler("vqapg_joint_variational")
    everything = model.sample(photos / "3.png", n=12, **DRAWN)
    middle = everything[len(everything) // 2].consistency
    good = model.sample(photos / "3.png", n=12, min_consistency=middle, **DRAWN)
    assert good == [pair for pair in everything if pair.consistency >= middle] != everything
    few = model.sample(photos / "3.png", n=12, keep=3, **DRAWN)
    assert len(few) == 3 and few[0] == everything[0] and set(texts(few)) < set(texts(everything))
    assert model.sample(photos / "3.png", n=12, keep=3, diversity=0, **DRAWN) == everything[:3]


def test_a_given_question_is_kept_with_several_answers(sampler, photos):
    model = sampler("vqapg_vqa")
    asked = {"question": "what is it ?", "sampling": True, "temperature": 5}
    assert len(model.sample(photos / "3.png", n=12, keep=4, **asked)) == 4


@pytest.mark.parametrize(("diversity", "kept"), [(0.5, 2), (1, 2), (0, 4)])
def test_two_answers_to_a_question_are_not_both_kept(diversity, kept):
    pairs = [("is it ?", "yes"), ("is it ?", "no"), ("what ?", "cat"), ("what ?", "dog")]
    scores = np.array([0.7, 0.9, 0.8, 0.6])
    chosen = _chosen(pairs, scores, options(keep=4, diversity=diversity))
    assert len(chosen) == kept and list(chosen)[:2] == [1, 2]
    assert len(_chosen(pairs, scores, options(min_consistency=0.5))) == 4


@pytest.mark.parametrize(
    ("name", "order", "given"),
    [
        ("vqapg_vqa", None, "question"),
        ("vqapg_vqg", None, "answer"),
        ("vqapg_pipeline", "aq", "answer"),
        ("vqapg_pipeline_variational", "qa", "question"),
    ],
)
def test_a_half_is_completed_and_stays_as_it_was_given(sampler, photos, name, order, given):
    model = sampler(name, order=order) if order else sampler(name)
    half = "What is the zebra?" if given == "question" else "A zebra"
    pairs = model.sample(photos / "0.png", n=5, **{given: half}, **DRAWN)
    assert len(pairs) > 1 and {getattr(pair, given) for pair in pairs} == {half.lower()}
    assert model.unknown_words(options(**{given: half})) == ["zebra"]
    # It does depend on what was given.
    other = model.sample(photos / "0.png", n=5, **{given: "is there a circle ? yes"}, **DRAWN)
    assert [pair.score for pair in other] != [pair.score for pair in pairs]


def test_a_pipeline_completes_x_with_its_y_model(sampler, photos, dictionary):
    model = sampler("vqapg_pipeline", order="aq", evaluator=False)
    features = inputs(model, photos)[0][:1]
    (pair,) = model.sample(photos / "0.png", answer="red", beam=3)
    search = PairGenerator(
        model.model,
        dictionary,
        dictionary.index(SEPARATOR),
        generation_options(beam=3, max_len_b=LONGEST, unkpen=1e9),
    ).search
    with torch.no_grad():
        ((best, *_),) = model.model.y_model.generate(
            torch.from_numpy(features),
            torch.tensor([0]),
            pad(["red"], dictionary),
            np.zeros((1, 3), int),
            search,
            1.0,
        )
    assert pair.question.replace("?", " ?").split() == dictionary.string(best.tokens).split()
    assert pair.score == pytest.approx(best.total / len(best.tokens), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        (
            "vqapg_joint",
            {"question": "why ?"},
            "question: this model makes question and answer together",
        ),
        (
            "vqapg_vqa",
            {"answer": "yes"},
            "answer: this model completes a pair from its question; give question",
        ),
        ("vqapg_vqa", {}, "completes a pair from its question; give question"),
        ("vqapg_vqa", {"question": " "}, "question has no word"),
        ("vqapg_pipeline", {"question": "why ?"}, "give answer"),
        ("vqapg_pipeline", {"question": "why ?", "answer": "yes"}, "with both the pair is whole"),
        ("vqapg_joint", {"latent_temperature": 0.5}, "latent_temperature has no meaning"),
        ("vqapg_joint", {"latent_temperature": float("nan")}, "latent_temperature must be"),
        (
            "vqapg_joint",
            {"keep": 2},
            "keep goes by the consistency of pairs: give evaluator, or judge",
        ),
        ("vqapg_joint", {"min_consistency": 0.5}, "min_consistency goes by"),
        ("vqapg_joint", {"min_consistency": 1.5}, "min_consistency must be between 0 and 1"),
        ("vqapg_joint", {"diversity": -1}, "diversity must be between 0 and 1"),
        ("vqapg_joint", {"n": 0}, "n must be at least 1"),
        ("vqapg_joint", {"keep": 0}, "keep must be at least 1"),
        ("vqapg_joint", {"seed": -1}, "seed must be at least 0"),
        ("vqapg_joint", {"temperature": 0}, "temperature must be above 0"),
        ("vqapg_joint", {"sampling_topp": 2}, "sampling_topp must be"),
        ("vqapg_joint", {"beam": 0}, "beam must be at least 1"),
        ("vqapg_joint", {"refine": -1}, "refine must be at least 0"),
        ("vqapg_joint", {"refine": 1}, "refine has no meaning"),
        ("vqapg_joint", {"rescore": 0}, "rescore must be at least 1"),
        ("vqapg_joint", {"rescore": 2, "sampling": True}, "rescore has no meaning"),
    ],
)
def test_options_that_cannot_be_followed(sampler, photos, name, changes, message):
    model = sampler(name, evaluator=False)
    with pytest.raises(InputError) as error:
        model.sample(photos / "0.png", **changes)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_where_nothing_is_drawn_one_draw_is_enough(sampler, photos):
    model = sampler("vqapg_joint", evaluator=False)
    assert model.draws(SamplingOptions(num_samples=9)) == 1 and model.draws(options()) == 6
    assert len(model.sample(photos / "0.png", n=9, beam=2)) == 1


def test_rescored_draws_bring_what_they_were_made_with(sampler, photos, dictionary):
    model = sampler("vqapg_joint_variational", evaluator=False)
    how = {"n": 6, "rescore": 4, "latent_temperature": 4.0, **DRAWN}
    pairs = model.sample(photos / "1.png", **how)
    picture, number = open_given(photos / "1.png")
    features = model.features(model.backbone.preprocessing.resize(picture).unsqueeze(0))
    generator = pair_generator(model.model, dictionary, options(rescore=4, latent_temperature=4.0))
    later = 0
    for pair in pairs:
        keys = generator.rescoring.noise_keys(np.array([[1, pair.draw, number]]))
        made = {}
        for candidate in range(4):
            with region_weights_of(model.model) as weights:
                ((hypothesis,),) = generator.best(
                    torch.from_numpy(features), torch.tensor([0]), keys[[candidate]]
                )
            text = dictionary.string(hypothesis["tokens"]).replace(f" {SEPARATOR} ", " ")
            told = (round(hypothesis["score"], 4), weights["pair"][0])
            made.setdefault(text, (candidate, *told))
        words = f"{pair.question} {pair.answer}".replace("?", " ?").split()
        candidate, score, weights = made[" ".join(words)]
        assert pair.score == pytest.approx(score, abs=2e-4)
        made_with = pair.region_weights["pair"].array.ravel()
        np.testing.assert_allclose(made_with, weights, atol=1e-5)
        later += candidate > 0
    assert later and {pair.draw for pair in pairs} <= set(range(6))


def test_malformed_draws_are_counted(sampler, photos):
    model = sampler("vqapg_sequential_variational", evaluator=False)
    features, numbers = inputs(model, photos)
    with torch.no_grad():
        model.model.model.decoder.output.bias[model.dictionary.index(SEPARATOR)] = -1e9
    sampled = model.sample_batch(features, numbers, options(num_samples=3))
    assert [(len(pairs), pairs.malformed) for pairs in sampled] == [(0, 3)] * 5


@pytest.mark.parametrize("name", ["vqapg_joint_variational", "vqapg_sequential_variational"])
def test_pairs_that_do_not_end_are_counted_as_cut(sampler, photos, name):
    model = sampler(name, evaluator=False)
    features, numbers = inputs(model, photos)
    if name == "vqapg_joint_variational":
        decoders = [model.model.question_decoder, model.model.answer_decoder]
    else:
        decoders = [model.model.model.decoder]
    end, separator = model.dictionary.eos(), model.dictionary.index(SEPARATOR)

    def cut_and_pairs(bias_of_end, bias_of_separator):
        with torch.no_grad():
            for decoder in decoders:
                decoder.output.bias[end] = bias_of_end
                decoder.output.bias[separator] = bias_of_separator
        found = model.sample_batch(features, numbers, options(num_samples=12))
        return sum(sampled.cut for sampled in found), sum(map(len, found))

    cut, pairs = cut_and_pairs(3, 3)
    assert cut == 0 and pairs > 3
    # Texts without an end; the separator comes about once.
    cut, pairs = cut_and_pairs(-20, -1)
    assert cut == pairs > 3


def test_pairs_below_the_minimum_are_counted_apart(sampler, photos):
    model = sampler("vqapg_joint_variational")
    features, numbers = (part[:1] for part in inputs(model, photos))
    [every] = model.sample_batch(features, numbers, options(num_samples=12))
    assert len(every) > 4 and (every.left_out, every.below_minimum) == (0, 0)
    minimum = every[3].consistency
    [few] = model.sample_batch(
        features, numbers, options(num_samples=12, min_consistency=minimum, keep=2)
    )
    above = sum(pair.consistency >= minimum for pair in every)
    assert (len(few), few.left_out, few.below_minimum) == (2, len(every) - 2, len(every) - above)


def test_load_takes_paths_and_pictures(checkpoint, photos):
    model = load(
        checkpoint("vqapg_joint_variational"),
        checkpoint("vqapg_consistency", "evaluator.pt"),
        weights="none",
    )
    pairs = model.sample(str(photos / "0.png"), n=3, **DRAWN)
    with Image.open(photos / "0.png") as picture:
        assert model.sample(picture, n=3, **DRAWN)
    assert pairs[0].question and pairs[0].answer and pairs[0].score < 0 < pairs[0].consistency < 1
    with pytest.raises(InputError, match="none.png: cannot be read"):
        model.sample(photos / "none.png")
    with pytest.raises(InputError, match="^evaluator and judge: give one of them$"):
        load(checkpoint("vqapg_joint"), "evaluator.pt", judge="truth:easy-vqa")


def test_a_judge_of_pictures_sees_the_picture_of_each_pair(checkpoint, tmp_path):
    for name, red in (("dark", 51), ("bright", 204)):
        Image.new("RGB", (40, 40), (red, 0, 0)).save(tmp_path / f"{name}.png")
    judge = "tests.support.judges:Brightness"
    model = load(checkpoint("vqapg_joint_variational"), judge=judge, weights="none")
    for name, score in (("dark", 0.2), ("bright", 0.8), ("dark", 0.2)):
        pairs = model.sample(tmp_path / f"{name}.png", n=3, **DRAWN)
        assert {pair.consistency for pair in pairs} == {score}
    with Image.open(tmp_path / "bright.png") as picture:
        assert model.sample(picture, n=3, **DRAWN)[0].consistency == 0.8
    # Without pictures there is nothing to look at.
    features = np.zeros((1, 4, model.backbone.channels), np.float16)
    with pytest.raises(InputError, match="looks at pictures, and here are only features"):
        model.sample_batch(features, [1], options(num_samples=1))


def test_a_pair_that_the_judge_cannot_tell_of_is_kept_last_and_below_no_minimum(checkpoint, photos):
    class Unsure:
        """Tells of every other pair."""

        name, identity = "unsure", {}

        def score(self, triples):
            return np.where(np.arange(len(triples)) % 2, 0.7, np.nan)

    model = load(checkpoint("vqapg_joint_variational"), judge=Unsure(), weights="none")
    pairs = model.sample(photos / "0.png", n=8, **DRAWN)
    scores = [pair.consistency for pair in pairs]
    assert len(scores) > 3 and scores == sorted(scores, key=lambda score: score is None)
    assert set(scores) == {0.7, None}
    chosen = model.sample(photos / "0.png", n=8, min_consistency=0.0, **DRAWN)
    assert chosen == [pair for pair in pairs if pair.consistency is not None]


@pytest.mark.parametrize("judge", ["truth:easy-vqa", "vqa:vqa.pt"])
def test_a_judge_that_needs_a_data_directory_is_refused(checkpoint, judge):
    with pytest.raises(InputError) as error:
        load(checkpoint("vqapg_joint"), judge=judge, weights="none")
    assert str(error.value).startswith(f"judge {judge.removesuffix(':vqa.pt')}: needs a data dire")


def test_importing_the_package_stays_light_and_leaves_logging_alone():
    program = (
        "import logging, sys, vqapg; assert not {'torch', 'fairseq', 'numpy'} & set(sys.modules); "
        "from vqapg import load; assert callable(load) and 'torch' in sys.modules; "
        "root = logging.getLogger(); assert root.level == logging.WARNING and not root.handlers, "
        "root.handlers"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout == "", done.stderr
    assert "tensorboardX" not in done.stderr
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        import vqapg

        vqapg.lode
