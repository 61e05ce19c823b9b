"""z from the posterior of what was decoded, against one pair at a time by plain calls."""

import pytest
import torch

from tests.support.generation_models import VARIATIONAL, build
from vqapg.generation.beam_search import BeamSearch
from vqapg.generation.token_rules import TokenRules
from vqapg.modules.text import concatenate
from vqapg.modules.text_decoder import Memory

LONGEST = 6


def sharpened(name, dictionary, features, order=None, **options):
    """A model whose z is seen in what it says."""
    model = build(name, dictionary, features, order, **options)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.5)
    return model


def rules(dictionary):
    end, padding, unknown = dictionary.eos(), dictionary.pad(), dictionary.unk()
    return TokenRules(end, (dictionary.bos(), padding), unknown, max_len=LONGEST)


def greedy(decoder, state, memory, dictionary):
    """The most probable words, one after the other: ``[1, T]``, ended."""
    end, said = dictionary.eos(), []
    previous = torch.tensor([[end]])
    for step in range(LONGEST + 1):
        decoded = decoder(previous, memory, state)
        scores = decoded.logits[0, 0].clone()
        scores[[dictionary.bos(), dictionary.pad()]] = -torch.inf
        if step == 0:
            scores[end] = -torch.inf
        word = end if step == LONGEST else int(scores.argmax())
        said.append(word)
        if word == end:
            break
        previous, state = torch.tensor([[word]]), decoded.state
    return torch.tensor([said])


def scaled(latent, z, regions):
    """Equation 5, region by region."""
    if latent.scaling is None:
        return regions
    scores = torch.stack([region @ latent.scaling.mlp(z)[0] for region in regions[0]])
    weights = [min(1.0, regions.size(1) * share) for share in scores.softmax(0).tolist()]
    return torch.stack([w * region for w, region in zip(weights, regions[0])]).unsqueeze(0)


def of_z(part, decoder, z, regions, dictionary, x=None):
    """What *decoder* says of z, with X's encoding *x* in a Y-model."""
    seen = scaled(part.latent, z, regions)
    text = {} if x is None else {"text": x.sequence}
    memory = Memory(seen) if x is None else Memory(seen, x.tokens, x.real)
    return greedy(decoder, decoder.initial_state(regions, z, **text), memory, dictionary)


def image_to_text(part, z, regions, dictionary, refine):
    said = of_z(part, part.decoder, z, regions, dictionary)
    for _ in range(refine):
        z = part.posterior(part.text_encoder(said).sequence, regions).mean
        said = of_z(part, part.decoder, z, regions, dictionary)
    return said


def slowly(model, name, row, refine, dictionary):
    """Texts by their name, of one pair alone, each ``[T]``."""
    features = row["features"][row["image_index"]]

    def drawn(part, gaussian):
        return part.latent(gaussian, torch.zeros(1, 6, 8), row["noise_keys"]).latent

    if name == "vqapg_joint_variational":
        regions = model.image_encoder(features)
        z = drawn(model, model.prior(regions))
        for _ in range(refine + 1):
            question = of_z(model, model.question_decoder, z, regions, dictionary)
            answer = of_z(model, model.answer_decoder, z, regions, dictionary)
            encoders = model.text_encoder, model.answer_encoder or model.text_encoder
            both = [encoder(text).sequence for encoder, text in zip(encoders, (question, answer))]
            z = model.posterior(torch.cat(both, dim=1), regions).mean
        return {"question": question[0], "answer": answer[0]}
    part = model.model if name == "vqapg_sequential_variational" else model.x_model
    regions = part.image_encoder(features)
    said = image_to_text(part, drawn(part, part.prior(regions)), regions, dictionary, refine)
    if name == "vqapg_sequential_variational":
        return {"pair": said[0]}
    part = model.y_model
    regions = part.image_encoder(features)
    x = part.text_encoder(said)
    z = drawn(part, part.prior(x.sequence, regions))
    for _ in range(refine + 1):
        second = of_z(part, part.decoder, z, regions, dictionary, x)
        encoded = (part.y_encoder or part.text_encoder)(second).sequence
        z = part.posterior(torch.cat([x.sequence, encoded], dim=1), regions).mean
    return {model.x: said[0], model.y: second[0]}


def whole(texts, model, dictionary):
    """A sequential model's halves as the one text that they were."""
    if "question" not in texts or not model.writes_separator:
        return {name: text.tokens.tolist() for name, text in texts.items()}
    names = ("answer", "question") if model.order == "aq" else ("question", "answer")
    halves = [texts[name].tokens.unsqueeze(0) for name in names]
    return {
        "pair": concatenate(*halves, model.special.separator, dictionary.pad())[0].tolist(),
    }


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"region_scaling": False, "separate_text_encoders": True},
    ],
    ids=["scaling", "separate encoders"],
)
@pytest.mark.parametrize("refine", [0, 1, 2])
@pytest.mark.parametrize("name", VARIATIONAL)
@torch.no_grad()
def test_refined_pairs_are_those_of_a_loop_pair_by_pair(
    name, refine, options, dictionary, features, batch
):
    differ = 0
    for order in (None,) if "joint" in name else ("aq", "qa"):
        model = sharpened(name, dictionary, features, order, **options)
        inputs = {key: batch[key] for key in ("features", "image_index", "noise_keys")}
        # Without a length penalty a beam of one says the most probable words.
        search = BeamSearch(rules(dictionary), beam=1, length_penalty=0)
        found = model.generate(**inputs, search=search, refine=refine)
        plain = model.generate(**inputs, search=search)
        for place, ((texts,), (unrefined,)) in enumerate(zip(found, plain)):
            row = inputs | {key: batch[key][[place]] for key in ("image_index", "noise_keys")}
            expected = slowly(model, name, row, refine, dictionary)
            said = whole(texts, model, dictionary)
            assert said == {key: text.tolist() for key, text in expected.items()}
            differ += said != whole(unrefined, model, dictionary)
    assert bool(differ) == bool(refine)
