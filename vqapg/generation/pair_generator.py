"""The generator object that stock fairseq-generate drives: samples in, question-answer hypotheses
out.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from fairseq.data import Dictionary
from torch import Tensor

from vqapg.denormals import denormals_flushed
from vqapg.errors import InputError
from vqapg.generation.beam_search import BeamSearch
from vqapg.generation.rescoring import Images, Rescoring
from vqapg.generation.token_rules import TokenRules, normalised_score
from vqapg.generation.token_sampling import Sampling
from vqapg.models.generation_model import GenerationModel
from vqapg.models.hypothesis import Hypothesis, Search, Texts
from vqapg.models.stock_flags import refuse_generation_flags
from vqapg.modules.noise import NoiseKeys


class PairGenerator:
    """Generates ``question <sep> answer`` for each pair of a batch, with a latent variable of its
    own.

    With ``--sampling``, ``--beam N`` means N independent draws a pair, each with its own latent
    variable and its own tokens; otherwise one draw of the latent variable and a beam of N for each
    text.

    Args:
        model: a generation model
        dictionary: has the separator
        separator: its index
        args: stock fairseq's generation options
        latent_temperature: scales the standard deviation of the prior that z is drawn from; at 0 z
            is its mean
        refine: how often z is then replaced by the mean of its posterior, given what was decoded,
            and the pair decoded again
        rescore: of so many draws one is kept, see :mod:`vqapg.generation.rescoring`

    Raises:
        InputError: on a stock flag that has no meaning here
    """

    def __init__(
        self,
        model: GenerationModel,
        dictionary: Dictionary,
        separator: int,
        args: Any,
        latent_temperature: float = 1.0,
        refine: int = 0,
        rescore: int = 1,
    ) -> None:
        refuse_generation_flags(args)
        if not 0 < args.temperature < math.inf:
            raise InputError(f"--temperature must be above 0, not {args.temperature}")
        for name in ("lenpen", "unkpen"):
            if not math.isfinite(getattr(args, name)):
                raise InputError(f"--{name} must be a finite number, not {getattr(args, name)}")
        if args.sampling_topk != -1 and args.sampling_topk < 1:
            raise InputError(
                f"--sampling-topk must be at least 1, or -1 for all, not {args.sampling_topk}"
            )
        if args.sampling_topp != -1 and not 0 < args.sampling_topp <= 1:
            raise InputError(
                "--sampling-topp must be above 0 and at most 1, or -1 for all, not "
                f"{args.sampling_topp}"
            )
        for name in ("beam", "nbest", "max_len_b"):
            if getattr(args, name) < 1:
                raise InputError(
                    f"--{name.replace('_', '-')} must be at least 1, not {getattr(args, name)}"
                )
        if not 0 <= args.min_len <= args.max_len_b:
            raise InputError(
                f"--min-len {args.min_len} must lie between 0 and --max-len-b, {args.max_len_b}"
            )
        if not model.variational and latent_temperature != 1:
            raise InputError(
                "--latent-temperature has no meaning for a model without latent variable; leave "
                "it out"
            )
        if refine < 0:
            raise InputError(f"--refine must be at least 0, not {refine}")
        if refine and not model.variational:
            raise InputError(
                "--refine has no meaning for a model without latent variable; leave it out"
            )
        if rescore > 1 and not (model.variational or args.sampling):
            raise InputError(
                "--rescore: nothing is drawn in this model with beam search, so all draws are the "
                "same; add --sampling"
            )
        self.rescoring = Rescoring(model, rescore, separator, dictionary.eos(), dictionary.pad())
        self.refine = refine
        self.model = model
        self.latent_temperature = latent_temperature
        self.separator, self.padding = separator, dictionary.pad()
        self.nbest = args.nbest
        self.length_penalty = 0.0 if args.unnormalized else args.lenpen
        self.draws = args.beam if args.sampling else 1
        self.symbols_to_strip_from_output = {dictionary.eos(), dictionary.pad(), dictionary.bos()}
        forbidden = (dictionary.bos(), dictionary.pad())
        rules = TokenRules(
            end=dictionary.eos(),
            forbidden=forbidden if model.writes_separator else (*forbidden, separator),
            unknown=dictionary.unk(),
            unknown_penalty=args.unkpen,
            min_len=args.min_len,
            max_len=args.max_len_b,
            temperature=args.temperature,
        )
        self.search: Search
        if args.sampling:
            self.search = Sampling(rules, args.sampling_topk, args.sampling_topp)
        else:
            self.search = BeamSearch(rules, args.beam, self.length_penalty)

    def generate(
        self,
        models: Sequence[GenerationModel],
        sample: dict[str, Any],
        prefix_tokens: Tensor | None = None,
        constraints: Tensor | None = None,
    ) -> list[list[dict[str, Any]]]:
        """One list of hypotheses a pair, best first, in stock fairseq's form."""
        inputs = sample["net_input"]
        # One row a draw: a row never shares its latent variable.
        noise_keys = np.repeat(inputs["noise_keys"], self.draws, axis=0)
        noise_keys[:, 1] = np.tile(np.arange(self.draws), len(inputs["noise_keys"]))
        noise_keys = self.rescoring.noise_keys(noise_keys)
        rows = self.draws * self.rescoring.candidates
        image_index = inputs["image_index"].repeat_interleave(rows)
        given = None
        if self.model.given is not None:
            given = inputs[self.model.given].repeat_interleave(rows, dim=0)
        images = Images(inputs["features"], inputs.get("regions_real"))
        candidates = self.best(images.features, image_index, noise_keys, given, images.regions_real)
        kept = self.kept(candidates, images, image_index, noise_keys)
        best = [candidates[place] for place in kept]
        grouped = (best[i : i + self.draws] for i in range(0, len(best), self.draws))
        joined = ([hypothesis for row in group for hypothesis in row] for group in grouped)
        return [sorted(group, key=lambda h: h["score"], reverse=True) for group in joined]

    @torch.no_grad()
    @denormals_flushed()
    def best(
        self,
        features: Tensor,
        image_index: Tensor,
        noise_keys: NoiseKeys,
        given: Tensor | None = None,
        regions_real: Tensor | None = None,
    ) -> list[list[dict[str, Any]]]:
        """For each row of *image_index* its ``--nbest`` hypotheses, best first, in stock fairseq's
        form; a row draws what its own noise key says. The arguments are those of the model's
        ``generate``.
        """
        self.model.eval()
        # Only models that take it can be given images of different R, or refine.
        options: dict[str, Any] = {} if regions_real is None else {"regions_real": regions_real}
        if self.refine:
            options["refine"] = self.refine
        rows = self.model.generate(
            features,
            image_index,
            noise_keys,
            self.search,
            nbest=self.nbest,
            latent_temperature=self.latent_temperature,
            given=given,
            **options,
        )
        return [
            [
                self._join(texts, row_given)
                for texts in sorted(row, key=self.score, reverse=True)[: self.nbest]
            ]
            for row, row_given in zip(rows, [None] * len(rows) if given is None else given)
        ]

    def kept(
        self,
        candidates: Sequence[Sequence[dict[str, Any]]],
        images: Images,
        image_index: Tensor,
        noise_keys: NoiseKeys,
    ) -> Sequence[int]:
        """Which of the *candidates* that :meth:`best` found are kept: the place of one of every
        ``rescore``, by its best hypothesis; the arguments are those of ``Rescoring.kept``.
        """
        if self.rescoring.candidates == 1:
            return range(len(candidates))
        tokens = [hypotheses[0]["tokens"] for hypotheses in candidates]
        return self.rescoring.kept(tokens, images, image_index, noise_keys)

    def score(self, texts: Texts) -> float:
        """What hypotheses of pairs are ordered by: of the tokens that were generated, whatever was
        given.
        """
        length = sum(len(text.tokens) for text in texts.values())
        return normalised_score(
            sum(text.total for text in texts.values()), length, self.length_penalty
        )

    def _join(self, texts: Texts, given: Tensor | None) -> dict[str, Any]:
        """The hypothesis of what was generated, as question, separator, answer, in stock fairseq's
        form.

        The separator takes the place, and the probability, of the question's end.
        """
        if "pair" in texts:
            tokens, log_probs = texts["pair"].tokens, texts["pair"].log_probs
        else:
            ends = [
                texts[name] if name in texts else self._given(given)
                for name in ("question", "answer")
            ]
            tokens = torch.cat([text.tokens for text in ends])
            tokens[len(ends[0].tokens) - 1] = self.separator
            log_probs = torch.cat([text.log_probs for text in ends])
        return {
            "tokens": tokens,
            "score": self.score(texts),
            "positional_scores": log_probs,
            "alignment": None,
        }

    def _given(self, tokens: Tensor | None) -> Hypothesis:
        """A given text ``[T]`` beside a generated one: certain, so of log-probability 0."""
        if tokens is None:
            raise ValueError("one half of the pair is neither generated nor given")
        tokens = tokens[tokens.ne(self.padding)]
        return Hypothesis(tokens, torch.zeros(len(tokens), device=tokens.device), 0.0)
