"""The model that Python's ``load`` gives: question-answer pairs for pictures."""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from vqapg import demo
from vqapg.backbones.backbone import Backbone
from vqapg.data.feature_encoding import encode_images
from vqapg.data.given_image import GivenImage, name_of, open_given
from vqapg.data.input_image import InputImage
from vqapg.devices import chosen_device
from vqapg.errors import InputError, LeftOut, in_python_terms, printable
from vqapg.judges.judge import Judge, evaluator_spec
from vqapg.sampling.given_arguments import Paths, one_text, path_list
from vqapg.sampling.image_stream import sample_each
from vqapg.sampling.images import find_images
from vqapg.sampling.images_in_hand import OpenPicture
from vqapg.sampling.options import SamplingOptions, check_type
from vqapg.sampling.passed_over import describe
from vqapg.sampling.picture_reader import Pictures
from vqapg.sampling.sampled_pair import Sampled
from vqapg.sampling.sampler import PairSampler, consistency_of
from vqapg.tasks.checkpoints import Loaded, load_backbone, load_generation_model

OPTIONS = [option.name for option in fields(SamplingOptions)]


def load(
    checkpoint: str | os.PathLike[str],
    evaluator: str | os.PathLike[str] | None = None,
    *,
    judge: str | Judge | None = None,
    weights: str = "imagenet",
    device: str = "auto",
) -> "PictureSampler":
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
            directory, or "demo"; short for ``judge="evaluator:..."``
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
    if evaluator is not None:
        if judge is not None:
            raise InputError("--evaluator and --judge: give one of them")
        judge = evaluator_spec(demo.evaluator_path(evaluator))
    device = chosen_device(device)
    chosen = demo.chosen(checkpoint, judge)
    generator = load_generation_model(chosen.checkpoint)
    backbone = load_backbone(generator.features, weights)
    return PictureSampler(generator, backbone, chosen.judge, device, chosen.options)


class PictureSampler(PairSampler):
    """Makes pairs for pictures; ``load`` gives one.

    Examples:
        >>> model = vqapg.load("joint.pt", "evaluator.pt")
        >>> pairs = model.sample("photo.jpg", n=10)
        >>> model.score("photo.jpg", "What color is the bus?", "red")
        0.93

    Args:
        generator: a generation model
        backbone: that made the features of its training
        judge: of pictures: as ``--judge`` names it, or a judge; None: nobody judges
        device: where all of them run
        defaults: of the options of ``sample``, where they are not those of SamplingOptions

    Raises:
        InputError: if the judge cannot judge pictures
    """

    def __init__(
        self,
        generator: Loaded,
        backbone: Backbone,
        judge: str | Judge | None = None,
        device: str = "cpu",
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(generator, judge, device)
        self.backbone = backbone.to(device)
        self.defaults = {} if defaults is None else defaults

    @property
    def grid(self) -> tuple[int, int] | None:
        return self.backbone.grid

    def boxes(self, name: str) -> NDArray[np.float32] | None:
        return None

    def pictures(self, images: Sequence[InputImage]) -> Dataset[tuple[Tensor, int] | str]:
        return Pictures(images, self.backbone.preprocessing.resize)

    def features(self, pixels: Tensor) -> NDArray[np.float16]:
        """Resized pictures, bytes ``[U, 3, S, S]`` -> grid features, float16 ``[U, R, C]``."""
        with torch.inference_mode():
            encoded: NDArray[np.float16] = encode_images(self.backbone, pixels.to(self.device))
        return encoded

    @in_python_terms(*OPTIONS, "evaluator", "judge", num_samples="n")
    def sample(self, image: GivenImage, n: int | None = None, **options: Any) -> Sampled:
        """The different pairs among *n* draws, the most consistent first; without a judge in the
        order of draws.

        Examples:
            >>> for pair in model.sample("photo.jpg", n=20, keep=5):
            ...     print(pair.question, pair.answer, pair.consistency)

        Args:
            image: a path, a PIL image, or an array
            n: how many draws; 10 unless given, and 40 of the demo
            options: fields of ``SamplingOptions`` by name, such as ``seed``, ``keep``,
                ``question``

        Shape:
            - image: an array is uint8 ``[H, W, 3]``, in the order red, green, blue

        Returns:
            a list of ``SampledPair``

        Raises:
            InputError: on an image that cannot be read, and on options that this model cannot
                follow
        """
        checked = self._options(n, options)
        features, number, pictures = self._opened(image)
        return self.sample_batch(features, [number], checked, pictures=pictures)[0]

    @in_python_terms(*OPTIONS, "batch_size", "num_workers", "evaluator", "judge", num_samples="n")
    def sample_folder(
        self,
        images: Paths,
        n: int | None = None,
        *,
        skip_bad_images: bool = True,
        batch_size: int = 256,
        num_workers: int = 0,
        **options: Any,
    ) -> Iterator[tuple[str, Sampled]]:
        """Pairs for many images, one image after the other, as ``vqapg sample`` makes them.

        Examples:
            >>> rows = [
            ...     {"image": path, **pair.to_dict()}
            ...     for path, pairs in model.sample_folder("photos/", n=20, keep=5)
            ...     for pair in pairs
            ... ]

        Images are read as they are asked for, so a folder may hold any number of them. The same
        image, options and seed give the same pairs as ``sample`` and the command do.

        Args:
            images: a folder, a file or a pattern such as ``"photos/*.jpg"``, or several of them;
                whatever ``vqapg sample`` takes
            n: how many draws an image; as ``sample`` has it
            skip_bad_images: warn of an image that cannot be read, and go on; False: raise
            batch_size: how many draws are decoded together; changes no pair
            num_workers: processes that read images; 0: this one does
            options: as ``sample`` has them

        Returns:
            an iterator of path and pairs; the paths are those of the command's output

        Raises:
            InputError: if there is no image, on options that this model cannot follow, and, unless
                they are skipped, on an image that cannot be read
        """
        for name, value, least in (("batch-size", batch_size, 1), ("num-workers", num_workers, 0)):
            check_type(name, value, int)
            if value < least:
                raise InputError(f"--{name} {value}: must be at least {least}")
        checked = self._options(n, options)
        found = find_images(path_list(images))
        if passed_over := describe(found.passed_over):
            warnings.warn(passed_over, LeftOut, stacklevel=3)
        return self._sample_each(found, checked, skip_bad_images, batch_size, num_workers)

    @in_python_terms("evaluator", "judge", "question", "answer")
    def score(self, image: GivenImage, question: str, answer: str) -> float | None:
        """How sure the judge is that *answer* is right: the consistency of a pair of one's own.

        Examples:
            >>> model.score("photo.jpg", "What color is the bus?", "red")
            0.93

        ``vqapg.score`` judges many pairs.

        Args:
            image: as ``sample`` takes it
            question: text as people write it
            answer: text as people write it

        Returns:
            a number in [0, 1]; None where the judge cannot tell

        Raises:
            InputError: if the model was loaded without a judge, on an image that cannot be read,
                and on a text without a word
        """
        if self.judge is None:
            raise InputError("score: nobody judges; give load an evaluator, or a judge")
        pair = one_text("question", question), one_text("answer", answer)
        features, _, pictures = self._opened(image)
        self.in_hand.hold(features, pictures)
        return consistency_of(self._consistency([[pair]])[0][0])

    def _sample_each(
        self,
        images: Sequence[InputImage],
        options: SamplingOptions,
        skip_bad_images: bool,
        batch_size: int,
        num_workers: int,
    ) -> Iterator[tuple[str, Sampled]]:
        with in_python_terms("evaluator", "judge"):
            for outcome in sample_each(
                self, images, options, batch_size=batch_size, num_workers=num_workers
            ):
                if outcome.error is None:
                    yield outcome.image.name, outcome.sampled
                elif skip_bad_images:
                    # At the line that asked for the next image
                    warnings.warn(f"left out: {printable(outcome.error)}", LeftOut, stacklevel=2)
                else:
                    raise InputError(f"{outcome.error}; or leave it out: skip_bad_images=True")

    def _options(self, n: int | None, options: dict[str, Any]) -> SamplingOptions:
        """The options of a call, checked."""
        for name in options:
            if name not in OPTIONS:
                raise InputError(f"{name}: no such option; give one of {', '.join(OPTIONS)}")
        if n is not None:
            if "num_samples" in options:
                raise InputError("n and num_samples are one option; give one")
            options["num_samples"] = n
        checked = SamplingOptions(**{**self.defaults, **options})
        self.check(checked)
        return checked

    def _opened(self, image: GivenImage) -> tuple[NDArray[np.float16], int, dict[str, OpenPicture]]:
        """Features ``[1, R, C]``, number and, by name, what opens the picture."""
        picture, number = open_given(image)
        pixels = self.backbone.preprocessing.resize(picture).unsqueeze(0)
        return self.features(pixels), number, {name_of(image, number): lambda: picture}
