"""Question-answer pairs for images: latent variables, decoding, scores, choosing."""

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from vqapg.data.input_image import InputImage
from vqapg.data.tokenizer import detokenize, tokenize
from vqapg.errors import InputError
from vqapg.evaluation.judge_verdict import Verdict, in_words, stored_rejection, stored_verdict
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Judge, make_judge, names_within, score_triples
from vqapg.sampling.choose import choose, pair_similarity
from vqapg.sampling.images_in_hand import ImagesInHand, OpenPicture, no_picture
from vqapg.sampling.options import LONGEST, SamplingOptions
from vqapg.sampling.pair_draws import Draw, ImageBatch, draw_pairs, pair_generator
from vqapg.sampling.region_weights import RegionWeights
from vqapg.sampling.sampled_pair import Sampled, SampledPair
from vqapg.tasks.checkpoints import Loaded

LEAST_REJECTION = 0.5  # of wrong pairs; choosing by a judge with less is warned of


class PairSampler(ABC):
    """Makes pairs for batches of images; a class derived from it says what their features are.

    Args:
        generator: a generation model
        judge: of pictures: as ``--judge`` names it, or a judge; None: nobody judges
        device: where both run

    Raises:
        InputError: if the judge cannot judge pictures
    """

    def __init__(
        self, generator: Loaded, judge: str | Judge | None = None, device: str = "cpu"
    ) -> None:
        self.name, self.dictionary = generator.name, generator.dictionary
        self.checkpoint = generator.path
        self.model: Any = generator.model.to(device)
        self.in_hand = ImagesInHand(generator, device)
        context = JudgeContext(features=self.in_hand, open_picture=self.in_hand.picture)
        self.judge = None if judge is None else make_judge(judge, context)
        self.device = device

    @property
    @abstractmethod
    def grid(self) -> tuple[int, int] | None:
        """Rows and columns of the regions; None where they are no grid."""

    @abstractmethod
    def boxes(self, name: str) -> NDArray[np.float32] | None:
        """Where an image's regions lie, ``[R, 4]``; None where they are a grid."""

    @abstractmethod
    def pictures(self, images: Sequence[InputImage]) -> Dataset[tuple[Tensor, int] | str]:
        """A dataset of *images*: pixels for :meth:`features` and number, or an error."""

    @abstractmethod
    def features(self, pixels: Tensor) -> Any:
        """What :meth:`sample_batch` takes, of a batch of :meth:`pictures`."""

    def check(self, options: SamplingOptions) -> None:
        """Raises InputError, naming the flag, on options that this model, or one without a judge,
        cannot follow.
        """
        pair_generator(self.model, self.dictionary, options)
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

    def draws(self, options: SamplingOptions) -> int:
        """How many draws an image can differ in: one where neither a latent variable nor words are
        drawn.
        """
        return options.num_samples if self.model.variational or options.sampling else 1

    def unknown_words(self, options: SamplingOptions) -> list[str]:
        """The words of the given text that the model does not know."""
        text = options.question or options.answer or ""
        return [word for word in tokenize(text) if word not in self.dictionary]

    def notes(self, options: SamplingOptions) -> list[str]:
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
            notes.append(f"the judge of consistency {in_words(verdict)}")
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

    def chooser(self, options: SamplingOptions) -> str | None:
        """The names of the judges that choose the pairs, by commas; None where all are kept."""
        if self.judge is None or not options.choosing:
            return None
        return ", ".join(names_within(self.judge))

    def verdict(self) -> Verdict | None:
        """What ``check-evaluator`` said of the judge; None without one, and where it is the
        truth.
        """
        return None if self.judge is None else stored_verdict(self.judge.identity)

    def sample_batch(
        self,
        features: Any,
        numbers: Sequence[int],
        options: SamplingOptions,
        rows_at_once: int = 256,
        pictures: Mapping[str, OpenPicture] | None = None,
        region_counts: NDArray[np.int64] | None = None,
    ) -> list[Sampled]:
        """Pairs for several images.

        Args:
            features: of the images
            numbers: each image's number in noise keys
            options: checked
            rows_at_once: how many draws are decoded together; changes no pair
            pictures: what opens each image, by its name, for judges that look at it
            region_counts: where images have different numbers of regions

        Shape:
            - features: float16 ``[U, R, C]``
            - numbers, region_counts: ``[U]``

        Returns:
            for each image its different pairs, the most consistent first or as chosen
        """
        # For each image the first draw of each text, and what texts are written as: two may differ
        # in a full stop that is left out.
        drawn: list[dict[tuple[str, str], Draw]] = [{} for _ in numbers]
        written: list[set[tuple[str, str]]] = [set() for _ in numbers]
        found = [Sampled() for _ in numbers]
        for draw in draw_pairs(
            self.model,
            self.dictionary,
            ImageBatch(features, region_counts),
            numbers,
            options,
            self.draws(options),
            rows_at_once,
        ):
            question, answer = draw.text
            if question is None or answer is None:
                found[draw.image].malformed += 1
                continue
            words = detokenize(question.split()), detokenize(answer.split())
            if words not in written[draw.image]:
                written[draw.image].add(words)
                drawn[draw.image][question, answer] = draw
        if pictures is None:
            pictures = {str(place): no_picture for place in range(len(numbers))}
        self.in_hand.hold(features, pictures, region_counts)
        scores = [None] * len(drawn) if self.judge is None else self._consistency(drawn)
        for sampled, draws, consistency in zip(found, drawn, scores, strict=True):
            order: Sequence[int] = range(len(draws))
            if consistency is not None:
                order = _chosen(list(draws), consistency, options)
                if options.min_consistency is not None:
                    # What the judge cannot tell is below every minimum.
                    above = int((consistency >= options.min_consistency).sum())
                    sampled.below_minimum = len(draws) - above
            sampled.left_out = len(draws) - len(order)
            items = list(draws.items())
            for place in order:
                (question, answer), draw = items[place]
                sampled.cut += self._is_cut(question, answer, options.given)
                sampled.append(
                    SampledPair(
                        detokenize(question.split()),
                        detokenize(answer.split()),
                        round(draw.score, 4),
                        None if consistency is None else consistency_of(consistency[place]),
                        int(options.seed),
                        draw.number,
                        self._weights(draw),
                    )
                )
        return found

    def _is_cut(self, question: str, answer: str, given: str | None) -> bool:
        """Whether a text that was generated is as long as any may be."""
        lengths = {"question": len(question.split()), "answer": len(answer.split())}
        if self.model.writes_separator:
            return sum(lengths.values()) + 1 >= LONGEST
        return any(n >= LONGEST for name, n in lengths.items() if name != given)

    def _weights(self, draw: Draw) -> dict[str, RegionWeights]:
        shape = self.grid or (-1,)
        return {text: RegionWeights(own.reshape(shape)) for text, own in draw.weights.items()}

    def _consistency(
        self, pairs_of_image: Sequence[Collection[tuple[str, str]]]
    ) -> list[NDArray[np.float64]]:
        """For each image in hand the scores of its pairs ``[M]``, in [0, 1] or NaN."""
        assert self.judge is not None
        images = zip(self.in_hand.rows, pairs_of_image)
        triples = [(name, *pair) for name, pairs in images for pair in pairs]
        ends = np.cumsum([len(pairs) for pairs in pairs_of_image])[:-1]
        # Chosen by what is written
        return np.split(score_triples(self.judge, triples).round(4), ends)


def _chosen(
    pairs: Sequence[tuple[str, str]], consistency: NDArray[np.float64], options: SamplingOptions
) -> Sequence[int]:
    """The places of the *pairs* that are kept, in order."""
    similarity: NDArray[np.floating] = np.zeros((len(pairs),) * 2)
    diversity, questions = 0.0, None
    if options.keep is not None:
        similarity, diversity = pair_similarity(pairs), options.diversity
        # At 0 the consistency alone decides; a question that is given is that of every pair.
        if diversity > 0 and options.given != "question":
            questions = [question for question, _ in pairs]
    kept: Sequence[int] = choose(
        consistency, similarity, options.keep, options.min_consistency, diversity, questions
    )
    return kept


def consistency_of(score: float) -> float | None:
    """The *score* of a judge as a pair has it: None where the judge cannot tell."""
    return None if math.isnan(score) else float(score)
