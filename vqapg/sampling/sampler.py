"""Question-answer pairs for pictures: features, latent variables, decoding, scores, choosing."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch
from fairseq.dataclass.configs import GenerationConfig
from PIL.Image import Image
from torch.utils.data import Dataset

from vqapg import demo
from vqapg.data.feature_encoding import encode_images
from vqapg.data.image_inputs import image_inputs
from vqapg.data.input_image import InputImage, open_given
from vqapg.data.pair_dataset import pad
from vqapg.data.tokenizer import detokenize, tokenize
from vqapg.devices import chosen_device
from vqapg.errors import InputError, in_python_terms
from vqapg.evaluation.generated import split_pair
from vqapg.evaluation.judge_verdict import Verdict, stored_rejection, stored_verdict
from vqapg.generation.pair_generator import PairGenerator
from vqapg.generation.rescoring import Images
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Judge, evaluator_spec, make_judge, score_triples
from vqapg.sampling.choose import choose, pair_similarity
from vqapg.sampling.images_in_hand import ImagesInHand, OpenPicture, no_picture
from vqapg.sampling.options import LONGEST, SamplingOptions
from vqapg.sampling.picture_reader import Pictures
from vqapg.sampling.region_weights import as_bytes, region_weights_of
from vqapg.tasks.checkpoints import load_backbone, load_generation_model
from vqapg.tokens import SEPARATOR

LEAST_REJECTION = 0.5  # of wrong pairs; choosing by a judge with less is warned of
NEVER_UNKNOWN = 1e9  # taken off the unknown word's log-probability
OPTIONS = [option.name for option in fields(SamplingOptions)]


@dataclass(frozen=True)
class SampledPair:
    """A question-answer pair of an image.

    Attributes:
        question: text as people write it
        answer: text as people write it
        score: the model's mean log-probability of a token, in nats
        consistency: the judge's score in [0, 1]; None without a judge, and where it cannot tell
        seed: the seed of all draws
        draw: which draw of that seed gave its latent variable, and with sampling its words
        region_weights: one byte a region (255 for 1) of equation 5, by the text they are of:
            "pair", or "question" and "answer" where each has its own; empty in a model without
            region scaling
    """

    question: str
    answer: str
    score: float
    consistency: float | None
    seed: int
    draw: int
    region_weights: dict[str, bytes] = field(default_factory=dict, repr=False)


class Sampled(list):
    """The pairs of one image.

    Attributes:
        malformed: draws that are no pair
        left_out: pairs that are left out by choice
        below_minimum: those of them that are left out by ``min_consistency``
        cut: pairs with a text that was cut at the most words that are generated
    """

    malformed = 0
    left_out = 0
    below_minimum = 0
    cut = 0


def load(
    checkpoint: str | os.PathLike[str],
    evaluator: str | os.PathLike[str] | None = None,
    *,
    judge: str | Judge | None = None,
    weights: str = "imagenet",
    device: str = "auto",
) -> "PairSampler":
    """A model that makes question-answer pairs for pictures, from its checkpoint alone.

    Examples:
        >>> from vqapg import load
        >>> model = load("joint.pt", "evaluator.pt")
        >>> for pair in model.sample("photo.jpg", n=10, keep=5):
        ...     print(pair.question, pair.answer, pair.consistency)

    Args:
        checkpoint: of any model of task ``vqapg``; "demo" for the one that comes with vqapg, and
            its evaluator
        evaluator: checkpoint of a consistency evaluator that was trained on the same data
            directory; short for ``judge="evaluator:..."``
        judge: as ``vqapg sample --judge`` takes it, or a ``Judge``; without a judge no pair has a
            consistency
        weights: of the backbone that made the model's features: "imagenet", a file, or "none"
        device: "cpu", "cuda", or "auto", a GPU if there is one

    Returns:
        the model; its ``sample(image, n=10)`` makes pairs

    Raises:
        InputError: if there is no such device, if a checkpoint is none, if they do not go together,
            if the weights are not those of training, or if the judge cannot judge pictures
    """
    defaults = {}
    if checkpoint == demo.NAME:
        defaults = demo.OPTIONS
        checkpoint = demo.demo_file(demo.MODEL)
        if evaluator is None and judge is None:
            evaluator = demo.demo_file(demo.EVALUATOR)
    if evaluator is not None:
        if judge is not None:
            raise InputError("--evaluator and --judge: give one of them")
        judge = evaluator_spec(evaluator)
    device = chosen_device(device)
    generator = load_generation_model(checkpoint)
    backbone = load_backbone(generator.features, weights)
    return PairSampler(generator, backbone, judge, device, defaults)


class PairSampler:
    """Makes pairs for pictures; see :func:`load`.

    Args:
        generator: a :class:`~vqapg.tasks.checkpoints.Loaded` generation model
        backbone: :class:`~vqapg.backbones.backbone.Backbone`
        judge: of pictures: as ``--judge`` names it, or a judge; None: nobody judges
        device: where all of them run
        defaults: of the options of :meth:`sample`, where they are not those of SamplingOptions

    Raises:
        InputError: if the judge cannot judge pictures
    """

    def __init__(
        self,
        generator,
        backbone,
        judge: str | Judge | None = None,
        device="cpu",
        defaults: Mapping[str, Any] | None = None,
    ):
        self.name, self.dictionary = generator.name, generator.dictionary
        self.model = generator.model.to(device)
        self.in_hand = ImagesInHand(generator, device)
        context = JudgeContext(features=self.in_hand, open_picture=self.in_hand.picture)
        self.judge = None if judge is None else make_judge(judge, context)
        self.backbone = None if backbone is None else backbone.to(device)
        self.device = device
        self.defaults = {} if defaults is None else defaults

    @property
    def grid(self) -> tuple[int, int] | None:
        """Rows and columns of the regions; None where they are no grid."""
        grid: tuple[int, int] = self.backbone.grid
        return grid

    def boxes(self, name: str) -> np.ndarray | None:
        """Where an image's regions lie, ``[R, 4]``; None where they are a grid."""
        return None

    def pictures(self, images: Sequence[InputImage]) -> Dataset:
        """A dataset of *images*: pixels for :meth:`features` and number, or an error."""
        return Pictures(images, self.backbone.preprocessing.resize)

    @in_python_terms(*OPTIONS, "evaluator", "judge", num_samples="n")
    def sample(
        self, image: str | os.PathLike[str] | Image, n: int | None = None, **options: Any
    ) -> list[SampledPair]:
        """The different pairs among *n* draws, the most consistent first; without a judge in the
        order of draws.

        Args:
            image: an image file, or a PIL image
            n: how many draws; 10 unless given, and 40 of the demo
            options: fields of ``SamplingOptions`` by name, such as ``seed``, ``keep``, ``question``

        Returns:
            the pairs; the list also has ``malformed``, the number of draws that were no pair, and
                ``left_out``, the number of pairs that were not chosen

        Raises:
            InputError: on an image that cannot be read, and on options that this model cannot
                follow
        """
        if n is not None:
            options["num_samples"] = n
        options = SamplingOptions(**{**self.defaults, **options})
        self.check(options)
        picture, number = open_given(image)
        pixels = self.backbone.preprocessing.resize(picture).unsqueeze(0)
        name = f"image-{number}" if isinstance(image, Image) else os.fspath(image)
        return self.sample_batch(
            self.features(pixels), [number], options, pictures={name: lambda: picture}
        )[0]

    def check(self, options):
        """Raises InputError, naming the flag, on options that this model, or one without a judge,
        cannot follow.
        """
        self._pair_generator(options)
        given, completes = options.given, self.model.completes
        if given is not None and completes is None:
            raise InputError(
                f"--{given}: this model makes question and answer together; a pipeline, VQG or "
                "VQA completes"
            )
        if given not in (None, completes):
            raise InputError(
                f"--{given}: this model completes a pair from its {completes}; give --{completes}"
            )
        if given is None and self.model.given is not None:
            raise InputError(
                f"this model completes a pair from its {completes}; give --{completes}"
            )
        if given is not None and not tokenize(getattr(options, given)):
            raise InputError(f"--{given} has no word in it; give one")
        options.check_judge(self.judge)

    def draws(self, options):
        """How many draws an image can differ in: one where neither a latent variable nor words are
        drawn.
        """
        return options.num_samples if self.model.variational or options.sampling else 1

    def unknown_words(self, options):
        """The words of the given text that the model does not know."""
        text = options.question or options.answer or ""
        return [word for word in tokenize(text) if word not in self.dictionary]

    def notes(self, options) -> list[str]:
        """What the user of these *options* should know, a line each."""
        notes = []
        if self.draws(options) < options.num_samples:
            notes.append(
                "nothing is drawn in this model with beam search, so one draw an image; "
                "add --sampling"
            )
        if unknown := self.unknown_words(options):
            notes.append(f"not among the words the model was trained with: {' '.join(unknown)}")
        if verdict := self.verdict():
            notes.append(f"the judge of consistency: {verdict['text']}")
        if weakness := self.weakness(options):
            notes.append(weakness)
        return notes

    def weakness(self, options: SamplingOptions) -> str | None:
        """What to do where pairs are chosen by a judge that accepts most wrong pairs; else None."""
        if self.judge is None or not options.choosing:
            return None
        rejects = stored_rejection(self.judge.identity)
        if rejects is None or rejects >= LEAST_REJECTION:
            return None
        return (
            f"the judge rejects only {100 * rejects:.0f}% of wrong pairs, so "
            f"{' and '.join(options.choosing)} leaves most of them in; have pairs judged by people "
            "(docs/judge-pairs.md), or train a better evaluator (docs/check-evaluator.md)"
        )

    def verdict(self) -> Verdict | None:
        """What ``check-evaluator`` said of the judge; None without one, and where it is the
        truth.
        """
        return None if self.judge is None else stored_verdict(self.judge.identity)

    def features(self, pixels):
        """Resized pictures, bytes ``[U, 3, S, S]`` -> grid features, float16 ``[U, R, C]``."""
        with torch.inference_mode():
            return encode_images(self.backbone, pixels.to(self.device))

    def sample_batch(
        self,
        features,
        numbers,
        options,
        rows_at_once=256,
        pictures: Mapping[str, OpenPicture] | None = None,
        region_counts: np.ndarray | None = None,
    ):
        """Pairs for several images.

        Args:
            features: float16 ``[U, R, C]``
            numbers: each image's number in noise keys, ``[U]``
            options: :class:`SamplingOptions`, checked
            rows_at_once: how many draws are decoded together; changes no pair
            pictures: what opens each image, by its name, for judges that look at it
            region_counts: ``[U]``, where images have different numbers of regions

        Returns:
            for each image :class:`Sampled`: its different pairs, the most consistent first or as
            chosen
        """
        # For each image {(question, answer): (score, draw, region weights)}, and what they are
        # written as: two may differ in a full stop that is left out.
        drawn = [{} for _ in numbers]
        written = [set() for _ in numbers]
        found = [Sampled() for _ in numbers]
        for image, draw, text, score, weights in self._draw(
            features, numbers, options, rows_at_once, region_counts
        ):
            if text[0] is None:
                found[image].malformed += 1
                continue
            words = tuple(detokenize(half.split()) for half in text)
            if words not in written[image]:
                written[image].add(words)
                drawn[image][text] = (score, draw, weights)
        if pictures is None:
            pictures = {str(place): no_picture for place in range(len(numbers))}
        self.in_hand.hold(features, pictures, region_counts)
        scores = self._consistency(drawn)
        for sampled, pairs, consistency in zip(found, drawn, scores, strict=True):
            order = range(len(pairs))
            if consistency is not None:
                similarity = (
                    pair_similarity(list(pairs))
                    if options.keep is not None
                    else np.zeros((len(pairs),) * 2)
                )
                diversity = options.diversity if options.keep is not None else 0
                order = choose(
                    consistency, similarity, options.keep, options.min_consistency, diversity
                )
                if options.min_consistency is not None:
                    # What the judge cannot tell is below every minimum.
                    above = int((consistency >= options.min_consistency).sum())
                    sampled.below_minimum = len(pairs) - above
            sampled.left_out = len(pairs) - len(order)
            items = list(pairs.items())
            for place in order:
                (question, answer), (score, draw, weights) = items[place]
                sampled.cut += self._is_cut(question, answer, options.given)
                sampled.append(
                    SampledPair(
                        detokenize(question.split()),
                        detokenize(answer.split()),
                        round(score, 4),
                        None if consistency is None else _known(consistency[place]),
                        options.seed,
                        draw,
                        weights,
                    )
                )
        return found

    def _is_cut(self, question: str, answer: str, given: str | None) -> bool:
        """Whether a text that was generated is as long as any may be."""
        lengths = {"question": len(question.split()), "answer": len(answer.split())}
        if self.model.writes_separator:
            return sum(lengths.values()) + 1 >= LONGEST
        return any(n >= LONGEST for name, n in lengths.items() if name != given)

    def _pair_generator(self, options):
        stock = GenerationConfig(
            beam=options.beam,
            sampling=options.sampling,
            sampling_topk=options.sampling_topk,
            sampling_topp=options.sampling_topp,
            temperature=options.temperature,
            max_len_b=LONGEST,
            unkpen=NEVER_UNKNOWN,
        )
        separator = self.dictionary.index(SEPARATOR)
        return PairGenerator(
            self.model,
            self.dictionary,
            separator,
            stock,
            options.latent_temperature,
            options.refine,
            options.rescore,
        )

    def _draw(self, features, numbers, options, rows_at_once, region_counts=None):
        """Yields image, draw, (question, answer) in tokens or (None, None), score and region
        weights of every draw.
        """
        generator, draws = self._pair_generator(options), self.draws(options)
        own = _Batch(features, region_counts)
        image_of_row = np.repeat(np.arange(len(numbers)), draws)
        keys = np.stack(
            [
                np.full(len(image_of_row), options.seed),
                np.tile(np.arange(draws), len(numbers)),
                np.repeat(numbers, draws),
            ],
            axis=1,
        )
        text = (
            None if options.given is None else " ".join(tokenize(getattr(options, options.given)))
        )
        candidates = options.rescore
        step = max(1, rows_at_once // candidates)
        for start in range(0, len(keys), step):
            chunk = slice(start, start + step)
            images, own_index = np.unique(image_of_row[chunk], return_inverse=True)
            image_index = torch.from_numpy(own_index).repeat_interleave(candidates).to(self.device)
            noise_keys = generator.rescoring.noise_keys(keys[chunk])
            given = (
                None
                if text is None
                else pad([text] * len(image_index), self.dictionary).to(self.device)
            )
            inputs = {name: x.to(self.device) for name, x in image_inputs(own, images).items()}
            with region_weights_of(self.model) as weights:
                hypotheses = generator.best(
                    image_index=image_index, noise_keys=noise_keys, given=given, **inputs
                )
            kept = generator.kept(hypotheses, Images(**inputs), image_index, noise_keys)
            for row, place in enumerate(kept):
                (hypothesis,) = hypotheses[place]
                pair = split_pair(self.dictionary.string(hypothesis["tokens"]))
                if text is not None and pair[0] is not None:
                    # As it was given, words unknown to the model too
                    pair = (text, pair[1]) if options.given == "question" else (pair[0], text)
                image = image_of_row[start + row]
                yield (
                    image,
                    int(keys[start + row, 1]),
                    pair,
                    float(hypothesis["score"]),
                    {
                        name: as_bytes(values[place, : own.regions_of(image)])
                        for name, values in weights.items()
                    },
                )

    def _consistency(self, drawn):
        """For each image the scores of its pairs ``[M]`` in [0, 1] or NaN; None for each without a
        judge.
        """
        if self.judge is None:
            return [None] * len(drawn)
        triples = [(name, *pair) for name, pairs in zip(self.in_hand.rows, drawn) for pair in pairs]
        ends = np.cumsum([len(pairs) for pairs in drawn])[:-1]
        # Chosen by what is written
        return np.split(score_triples(self.judge, triples).round(4), ends)


class _Batch:
    """Features ``[U, R, C]`` as :func:`~vqapg.data.image_inputs.image_inputs` reads them."""

    def __init__(self, features, region_counts):
        self.features, self.region_counts = features, region_counts

    def read(self, rows: np.ndarray) -> np.ndarray:
        if self.region_counts is None:
            return self.features[rows]
        return self.features[rows, : self.region_counts[rows].max()]

    def regions_of(self, row: int) -> int | None:
        return None if self.region_counts is None else self.region_counts[row]


def _known(score: float) -> float | None:
    return None if math.isnan(score) else float(score)
