"""What the models that generate pairs have in common, whatever the paradigm."""

from vqapg.models.vqapg_model import VQAPGModel


class GenerationModel(VQAPGModel):
    """Base of the models of task ``vqapg``.

    Attributes:
        variational: with latent variables, or the baseline
        given: the text that it completes to a pair, "question" or "answer"; None where it makes both
        order: "aq", answer first, or "qa"; None where neither comes first
        writes_separator: its decoder may say the separator, and so may a malformed text
    """

    variational = False
    given = None
    order = None
    writes_separator = False

    @property
    def completes(self):
        """The text that it can complete to a pair, "question" or "answer"; None where it makes only both."""
        return self.given

    def forward(self, features, image_index, question, answer, noise_keys, latent_from="posterior"):
        """Teacher forcing.

        Args:
            features: ``[U, R, C]`` of the distinct images
            image_index: ``[B]``, each pair's row of ``features``
            question, answer: ``[B, T]``, ended and padded
            noise_keys: ``[B, 3]`` integers, see :mod:`vqapg.modules.noise`
            latent_from: "posterior" or "prior", where z is drawn from; a baseline has no z and ignores it

        Returns:
            :class:`~vqapg.models.output.PairOutput`
        """
        raise NotImplementedError

    def generate(
        self, features, image_index, noise_keys, search, nbest=1, latent_temperature=1.0, given=None
    ):
        """Pairs for each row of ``image_index``, every row with latent variables of its own.

        Args:
            search: see :mod:`vqapg.generation.search`
            nbest: how many hypotheses of a first text a second one is generated from (pipeline)
            latent_temperature: scales the standard deviation of the prior; at 0 z is its mean
            given: ``[B, T]``, the text named by :attr:`completes`, or None where :attr:`given` is None

        Returns:
            for each row a list of dicts of what was generated, "question" and "answer", or the one that was not
            given, or a "pair" that is none (malformed), each a :class:`~vqapg.generation.search.Hypothesis`
        """
        raise NotImplementedError
