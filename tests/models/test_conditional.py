import pytest
import torch

from tests.support.generation_models import build, generate
from vqapg.errors import InputError
from vqapg.modules.text_decoder import Memory

MODELS = [("vqapg_vqg", "answer", "question"), ("vqapg_vqa", "question", "answer")]


@pytest.mark.parametrize("name, given, text", MODELS)
def test_one_half_is_said_from_the_image_and_the_gold_other_half(
    dictionary, features, batch, name, given, text
):
    model = build(name, dictionary, features)
    output, part = model(**batch), model.model
    assert list(output.logits) == [text] and not output.latents
    for row in range(4):
        x, y = (
            batch[t][row][batch[t][row].ne(dictionary.pad())].unsqueeze(0) for t in (given, text)
        )
        regions, h = (
            part.image_encoder(batch["features"][batch["image_index"][row]].unsqueeze(0)),
            part.text_encoder(x),
        )
        state = part.decoder.initial_state(regions, None, h.sequence)
        decoded = part.decoder.teacher_forced(y, Memory(regions, h.tokens, h.real), state, None)
        torch.testing.assert_close(
            output.logits[text][row, : y.size(1)], decoded.logits[0], atol=1e-4, rtol=1e-4
        )


@pytest.mark.parametrize(
    "options", [{"beam": 3, "nbest": 2}, {"beam": 3, "nbest": 3, "sampling": True}]
)
@pytest.mark.parametrize("name, given, text", MODELS)
def test_the_given_half_stands_in_the_line_and_the_score_is_of_the_other(
    dictionary, features, batch, name, given, text, options
):
    found = generate(build(name, dictionary, features), dictionary, batch, **options)
    for row, hypotheses in enumerate(found):
        assert len(hypotheses) == options["nbest"]
        for h in hypotheses:
            question, _, answer = dictionary.string(h["tokens"]).partition(" <sep> ")
            halves = {"question": question, "answer": answer}
            assert halves[given] == dictionary.string(batch[given][row], bpe_symbol=None).replace(
                " <pad>", ""
            )
            said = len(halves[text].split()) + 1
            assert h["positional_scores"].count_nonzero() == said
            assert h["score"] == pytest.approx(h["positional_scores"].sum().item() / said, abs=1e-5)


@pytest.mark.parametrize("name, given, text", MODELS)
def test_a_blind_model_is_the_same_model_of_the_mean_image(
    dictionary, features, batch, name, given, text
):
    blind, seeing = (build(name, dictionary, features, blind=blind) for blind in (True, False))
    blind.load_state_dict(seeing.state_dict() | {"_extra_state": blind.get_extra_state()})
    mean_image = batch | {"features": torch.from_numpy(features.mean).expand_as(batch["features"])}
    said = blind(**batch).logits[text]
    torch.testing.assert_close(said, seeing(**mean_image).logits[text], atol=0, rtol=0)
    assert not torch.allclose(said, seeing(**batch).logits[text], atol=1e-3)
    encoded = blind.model.image_encoder.embed(
        torch.zeros(1, 6, 5)
    )  # what the mean image is once standardised
    torch.testing.assert_close(
        blind.model.image_encoder(mean_image["features"][:1]),
        blind.model.image_encoder.lstm(encoded)[0],
    )
    generated = generate(blind, dictionary, batch, beam=3)
    other_images = batch | {"features": torch.flip(batch["features"], dims=[0]) * 2}
    assert [h["score"] for (h,) in generate(blind, dictionary, other_images, beam=3)] == [
        h["score"] for (h,) in generated
    ]


def test_a_blind_models_weights_are_not_those_of_one_that_sees(dictionary, features):
    blind, seeing = (
        build("vqapg_vqa", dictionary, features, blind=blind) for blind in (True, False)
    )
    with pytest.raises(InputError, match="checkpoint is of VQAModel, --blind, not of VQAModel;"):
        seeing.load_state_dict(blind.state_dict())
