"""Where a model looks when it generates: region weights (equation 5) and attentions (Figures 6, 7
and 8).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from vqapg.generation.pair_generator import PairGenerator
from vqapg.models.generation_model import GenerationModel
from vqapg.models.hypothesis import Hypothesis, Search, Texts
from vqapg.models.sequential import SequentialModel
from vqapg.modules.noise import NoiseKeys
from vqapg.modules.region_scaling import RegionScaling, ScaledRegions
from vqapg.modules.text_decoder import LSTMState, Memory, TextDecoder


class Look(NamedTuple):
    """How one text was decoded from R regions.

    Attributes:
        tokens: ``[T]``, the text, ended
        attention: ``[T, R]``, a distribution over the regions for each token
        weights: ``[R]``, what z scaled the regions by; None without region scaling
    """

    tokens: Tensor
    attention: Tensor
    weights: Tensor | None


class _Recorder:
    """A search that notes what it decodes from, by the decoder's text: question, answer or pair."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.weights: Tensor | None = None
        self.decoded: dict[
            str, tuple[TextDecoder, Memory, LSTMState, NoiseKeys, Tensor | None]
        ] = {}

    def __call__(
        self, decoder: TextDecoder, memory: Memory, state: LSTMState, noise_keys: NoiseKeys
    ) -> list[list[Hypothesis]]:
        # The regions were scaled just before; the joint model decodes two texts from them.
        self.decoded[decoder.stream.name.lower()] = (
            decoder,
            memory,
            state,
            noise_keys,
            self.weights,
        )
        return self.search(decoder, memory, state, noise_keys)

    def note_weights(
        self, scaling: nn.Module, inputs: tuple[Tensor, ...], output: ScaledRegions
    ) -> None:
        self.weights = output.weights

    @contextmanager
    def watching(self, model: nn.Module) -> Iterator[None]:
        """Notes the weights of the region scaling of every part of *model*."""
        hooks = [
            part.register_forward_hook(self.note_weights)
            for part in model.modules()
            if isinstance(part, RegionScaling)
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def looks(self, name: str, texts: Sequence[Tensor]) -> list[Look]:
        """A Look for each row of *texts*, ``[T]`` tokens each, of the decoder that says *name*."""
        decoder, memory, state, noise_keys, weights = self.decoded[name]
        target = pad_sequence(list(texts), batch_first=True, padding_value=decoder.special.padding)
        attention = decoder.teacher_forced(target, memory, state, noise_keys).attention
        return [
            Look(tokens, attention[row, : len(tokens)], None if weights is None else weights[row])
            for row, tokens in enumerate(texts)
        ]


@torch.no_grad()
def generate_and_look(
    model: GenerationModel,
    generator: PairGenerator,
    features: Tensor,
    image_index: Tensor,
    noise_keys: NoiseKeys,
    latent_temperature: float = 1.0,
    regions_real: Tensor | None = None,
) -> list[tuple[float, dict[str, Look] | None]]:
    """The best pair for each row, as fairseq-generate would print it, and how each of its texts was
    decoded.

    Args:
        model: a model that makes pairs from images alone, in evaluation mode
        generator: its :class:`~vqapg.generation.pair_generator.PairGenerator`, without sampling
        features, image_index, noise_keys, regions_real: see
            :class:`~vqapg.models.generation_model.GenerationModel`

    Returns:
        for each row (score, {"question": Look, "answer": Look}); the looks are None where the text
        is no pair
    """
    recorder = _Recorder(generator.search)
    with recorder.watching(model):
        rows = model.generate(
            features,
            image_index,
            noise_keys,
            recorder,
            latent_temperature=latent_temperature,
            regions_real=regions_real,
        )
    best = [max(row, key=generator.score) for row in rows]
    scores = [generator.score(texts) for texts in best]
    looks: Sequence[dict[str, Look] | None]
    if "pair" in recorder.decoded:
        assert isinstance(model, SequentialModel)
        looks = _looks_of_pairs(recorder, best, model)
    else:
        of_text = {
            name: recorder.looks(name, [texts[name].tokens for texts in best])
            for name in ("question", "answer")
        }
        looks = [dict(zip(of_text, both)) for both in zip(*of_text.values())]
    return list(zip(scores, looks))


def _looks_of_pairs(
    recorder: _Recorder, best: Sequence[Texts], model: SequentialModel
) -> list[dict[str, Look] | None]:
    """A sequential model's one text, cut at its separator, which counts as the first text's end."""
    first, second = ("answer", "question") if model.answer_first else ("question", "answer")
    whole = []
    for texts in best:
        if "pair" in texts:
            whole.append(texts["pair"].tokens)
            continue
        tokens = torch.cat([texts[first].tokens, texts[second].tokens])
        tokens[len(texts[first].tokens) - 1] = model.special.separator
        whole.append(tokens)
    looks: list[dict[str, Look] | None] = []
    for texts, (_, attention, weights) in zip(best, recorder.looks("pair", whole)):
        if "pair" in texts:
            looks.append(None)
            continue
        cut = len(texts[first].tokens)
        looks.append(
            {
                first: Look(texts[first].tokens, attention[:cut], weights),
                second: Look(texts[second].tokens, attention[cut:], weights),
            }
        )
    return looks
