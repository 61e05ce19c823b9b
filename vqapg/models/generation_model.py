"""What the models that generate pairs have in common, whatever the paradigm."""

from torch import Tensor

from vqapg.models.hypothesis import Search, Texts
from vqapg.models.output import PairOutput
from vqapg.models.vqapg_model import VQAPGModel
from vqapg.modules.latent import Gaussian, Gaussians
from vqapg.modules.noise import NoiseKeys


class GenerationModel(VQAPGModel):
    """Base of the models of task ``vqapg``.

    Attributes:
        variational: with latent variables, or the baseline
        given: the text that it completes to a pair, "question" or "answer"; None where it makes
            both
        order: "aq", answer first, or "qa"; None where neither comes first
        parallel: question and answer are decoded in parallel, from one z (section 4.3)
        writes_separator: its decoder may say the separator, and so may a malformed text
        scores_answers: what z is when the model says how likely an answer is, given image and
            question. "pair": one z of both, which :meth:`gaussians` are of; "own": the answer's own
            z, or none; None: the answer is made without the question, so it cannot say
    """

    variational: bool = False
    given: str | None = None
    order: str | None = None
    parallel: bool = False
    writes_separator: bool = False
    scores_answers: str | None = None

    @property
    def completes(self) -> str | None:
        """The text that it can complete to a pair, "question" or "answer"; None where it makes only
        both.
        """
        return self.given

    @property
    def incomplete(self) -> str | None:
        """What is missing before it can generate, and what to do; None where nothing is."""
        return None

    def forward(
        self,
        features: Tensor,
        image_index: Tensor,
        question: Tensor,
        answer: Tensor,
        noise_keys: NoiseKeys,
        latent_from: str | Gaussian = "posterior",
        regions_real: Tensor | None = None,
    ) -> PairOutput:
        """Teacher forcing.

        Args:
            features: of the distinct images
            image_index: each pair's row of ``features``
            question, answer: ended and padded
            noise_keys: see :mod:`vqapg.modules.noise`
            latent_from: "posterior" or "prior", where z is drawn from, or another Gaussian, in
                models with one z; a baseline ignores it
            regions_real: False on padding behind an image's own regions; None where all of a
                batch's images have equally many

        Shape:
            features ``[U, R, C]``, image_index ``[B]``, question and answer ``[B, T]``,
            noise_keys ``[B, 3]``, regions_real ``[U, R]``
        """
        raise NotImplementedError

    def gaussians(
        self,
        features: Tensor,
        image_index: Tensor,
        question: Tensor,
        answer: Tensor,
        regions_real: Tensor | None = None,
    ) -> Gaussians:
        """Posterior and prior of a pair's one z; the arguments are those of :meth:`forward`."""
        raise NotImplementedError

    def generate(
        self,
        features: Tensor,
        image_index: Tensor,
        noise_keys: NoiseKeys,
        search: Search,
        nbest: int = 1,
        latent_temperature: float = 1.0,
        given: Tensor | None = None,
        regions_real: Tensor | None = None,
        refine: int = 0,
    ) -> list[list[Texts]]:
        """Pairs for each row of ``image_index``, every row with latent variables of its own.

        Args:
            features, image_index, noise_keys, regions_real: as in :meth:`forward`
            search: finds the texts, see ``generation/``
            nbest: how many hypotheses of a first text a second one is generated from (pipeline)
            latent_temperature: scales the standard deviation of the prior; at 0 z is its mean
            given: the text named by :attr:`completes`, or None where :attr:`given` is None
            refine: how often z is then replaced by the mean of its posterior, given the best text
                so far, and the text decoded again

        Shape: given ``[B, T]``; the others as in :meth:`forward`.

        Returns:
            for each row a list of what was generated: "question" and "answer", or the one that
            was not given, or a malformed "pair"
        """
        raise NotImplementedError
