"""Draws: what the model says of images, before repeats go and a judge is asked."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from fairseq.data import Dictionary
from fairseq.dataclass.configs import GenerationConfig
from numpy.typing import NDArray

from vqapg.data.image_inputs import image_inputs
from vqapg.data.pair_dataset import pad
from vqapg.data.tokenizer import tokenize
from vqapg.evaluation.generated import split_pair
from vqapg.generation.pair_generator import PairGenerator
from vqapg.generation.rescoring import Images
from vqapg.models.generation_model import GenerationModel
from vqapg.sampling.options import LONGEST, SamplingOptions
from vqapg.sampling.region_weights import region_weights_of
from vqapg.tokens import SEPARATOR

NEVER_UNKNOWN = 1e9  # taken off the unknown word's log-probability


class Draw(NamedTuple):
    """One draw for one image.

    Attributes:
        image: its row in the batch
        number: which of the image's draws it is
        text: question and answer in tokens; None and None of a malformed draw
        score: mean log-probability of a token, in nats
        weights: of the regions, by the text they are of

    Shape:
        - weights: ``[R]`` each
    """

    image: int
    number: int
    text: tuple[str, str] | tuple[None, None]
    score: float
    weights: dict[str, NDArray[np.float32]]


class ImageBatch:
    """Images as :func:`~vqapg.data.image_inputs.image_inputs` reads them.

    Args:
        features: of the images
        region_counts: how many regions each has; None where equally many

    Shape:
        - features: float16 ``[U, R, C]``
        - region_counts: ``[U]``
    """

    def __init__(
        self, features: NDArray[np.float16], region_counts: NDArray[np.int64] | None = None
    ) -> None:
        self.features, self.region_counts = features, region_counts

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.float16]:
        """The features of *rows*, ``[len(rows), R, C]``."""
        if self.region_counts is None:
            return self.features[rows]
        return self.features[rows, : self.region_counts[rows].max()]

    def regions_of(self, row: int) -> int | None:
        """How many regions the image in *row* has; None where equally many."""
        return None if self.region_counts is None else int(self.region_counts[row])


def pair_generator(
    model: GenerationModel, dictionary: Dictionary, options: SamplingOptions
) -> PairGenerator:
    """What generates pairs as *options* say.

    Raises:
        InputError: on options that the model cannot follow
    """
    stock = GenerationConfig(
        beam=options.beam,
        sampling=options.sampling,
        sampling_topk=options.sampling_topk,
        sampling_topp=options.sampling_topp,
        temperature=options.temperature,
        max_len_b=LONGEST,
        unkpen=NEVER_UNKNOWN,
    )
    return PairGenerator(
        model,
        dictionary,
        dictionary.index(SEPARATOR),
        stock,
        options.latent_temperature,
        options.refine,
        options.rescore,
    )


def draw_pairs(
    model: GenerationModel,
    dictionary: Dictionary,
    batch: ImageBatch,
    numbers: Sequence[int],
    options: SamplingOptions,
    draws: int,
    rows_at_once: int,
) -> Iterator[Draw]:
    """Yields every draw, image by image.

    Args:
        model: of pairs
        dictionary: its words
        batch: of U images
        numbers: each image's number in noise keys, ``[U]``
        options: checked
        draws: of each image
        rows_at_once: how many draws are decoded together; changes no draw
    """
    generator = pair_generator(model, dictionary, options)
    device = next(model.parameters()).device
    image_of_row = np.repeat(np.arange(len(numbers)), draws)
    keys = np.stack(
        [
            np.full(len(image_of_row), options.seed),
            np.tile(np.arange(draws), len(numbers)),
            np.repeat(numbers, draws),
        ],
        axis=1,
    )
    text = None if options.given is None else " ".join(tokenize(getattr(options, options.given)))
    candidates = options.rescore
    step = max(1, rows_at_once // candidates)
    for start in range(0, len(keys), step):
        chunk = slice(start, start + step)
        images, own_index = np.unique(image_of_row[chunk], return_inverse=True)
        image_index = torch.from_numpy(own_index).repeat_interleave(candidates).to(device)
        noise_keys = generator.rescoring.noise_keys(keys[chunk])
        given = None
        if text is not None:
            given = pad([text] * len(image_index), dictionary).to(device)
        inputs = {name: x.to(device) for name, x in image_inputs(batch, images).items()}
        with region_weights_of(model) as weights:
            hypotheses = generator.best(
                image_index=image_index, noise_keys=noise_keys, given=given, **inputs
            )
        kept = generator.kept(hypotheses, Images(**inputs), image_index, noise_keys)
        for row, place in enumerate(kept):
            (hypothesis,) = hypotheses[place]
            pair = split_pair(dictionary.string(hypothesis["tokens"]))
            if text is not None and pair[0] is not None:
                # As it was given, words unknown to the model too
                pair = (text, pair[1]) if options.given == "question" else (pair[0], text)
            image = int(image_of_row[start + row])
            yield Draw(
                image,
                int(keys[start + row, 1]),
                pair,
                float(hypothesis["score"]),
                {
                    # A view would keep the weights of the whole batch.
                    name: values[place, : batch.regions_of(image)].numpy().copy()
                    for name, values in weights.items()
                },
            )
