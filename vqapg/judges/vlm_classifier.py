"""VQA models that choose among known answers: ViLT (Kim et al., 2021, arXiv 2102.03334)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor

from vqapg.data.vqa_answers import normalise_answer
from vqapg.errors import InputError
from vqapg.judges.vlm_generator import IS_IT_RIGHT
from vqapg.judges.vlm_score import Asked, share_of_yes


class ClassifierScorer:
    """Scores by the probability of the answer's class, which has a sigmoid of its own.

    ViLT is trained with binary cross-entropy: several answers may be right at once. An answer that
    is no class, after VQA's normalisation, has the score NaN.

    Args:
        model: a ``ViltForQuestionAnswering``
        processor: its ``ViltProcessor``
        ask: "answer" or "yes", see :mod:`vqapg.judges.vlm_score`

    Raises:
        InputError: if yes is asked for, and "yes" or "no" is no class
    """

    def __init__(self, model: Any, processor: Any, ask: str) -> None:
        self.model, self.processor, self.ask = model, processor, ask
        # Several classes may be one answer once normalised.
        self.classes: dict[str, list[int]] = {}
        for number, label in model.config.id2label.items():
            self.classes.setdefault(normalise_answer(label), []).append(number)
        if ask == "yes" and not {"yes", "no"} <= self.classes.keys():
            raise InputError(
                "--judge hf: this model has no answers yes and no; leave score=yes out"
            )

    def score(self, pictures: Sequence[Image], asked: Sequence[Asked]) -> NDArray[np.float64]:
        """As :meth:`~vqapg.judges.vlm_score.Scorer.score`."""
        if self.ask == "yes":
            asked = [
                one._replace(question=IS_IT_RIGHT.format(question=one.question, answer=one.answer))
                for one in asked
            ]
            log_probs = self._log_probs(pictures, asked)
            yes, no = (log_probs[:, self.classes[word]].amax(1) for word in ("yes", "no"))
            return share_of_yes(yes, no)
        scores = np.full(len(asked), np.nan)
        known = [
            row for row, one in enumerate(asked) if normalise_answer(one.answer) in self.classes
        ]
        if not known:
            return scores
        log_probs = self._log_probs(pictures, [asked[row] for row in known])
        for row, values in zip(known, log_probs, strict=True):
            classes = self.classes[normalise_answer(asked[row].answer)]
            scores[row] = values[classes].max().exp().item()
        return scores

    def _log_probs(self, pictures: Sequence[Image], asked: Sequence[Asked]) -> Tensor:
        """The log-probability of each class for each triple's question: ``[M, A]``."""
        inputs = self.processor(
            images=[pictures[one.picture] for one in asked],
            text=[one.question for one in asked],
            padding=True,
            truncation=True,
            max_length=self.model.config.max_position_embeddings,
            return_tensors="pt",
        ).to(device=self.model.device, dtype=self.model.dtype)
        return torch.nn.functional.logsigmoid(self.model(**inputs).logits.double())
