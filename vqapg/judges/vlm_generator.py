"""VQA models that write the answer: BLIP-VQA (Li et al., 2022, https://arxiv.org/abs/2201.12086).

An encoder reads the question while it looks at the picture. A decoder writes the answer.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor

from vqapg.judges.vlm_score import Asked, answer_probability, share_of_yes

IS_IT_RIGHT = "{question} is {answer} the right answer?"


class GeneratorScorer:
    """Scores by the likelihood of the answer in the decoder.

    Args:
        model: a ``BlipForQuestionAnswering``
        processor: its ``BlipProcessor``
        ask: "answer" or "yes", see :mod:`vqapg.judges.vlm_score`
    """

    def __init__(self, model: Any, processor: Any, ask: str) -> None:
        self.model, self.processor, self.ask = model, processor, ask

    def score(self, pictures: Sequence[Image], asked: Sequence[Asked]) -> NDArray[np.float64]:
        """As :meth:`~vqapg.judges.vlm_score.Scorer.score`."""
        encoded = self._encode(pictures)
        picture = torch.tensor([one.picture for one in asked], device=encoded.device)
        if self.ask == "answer":
            questions = [one.question for one in asked]
            return answer_probability(
                *self._log_probs(encoded[picture], questions, [one.answer for one in asked])
            )
        questions = [IS_IT_RIGHT.format(question=q, answer=a) for _, q, a in asked]
        yes, no = (
            self._log_probs(encoded[picture], questions, [word] * len(asked))[0].sum(1)
            for word in ("yes", "no")
        )
        return share_of_yes(yes, no)

    def _encode(self, pictures: Sequence[Image]) -> Tensor:
        """Each picture once, however many triples are about it: ``[U, P, D]``."""
        pixels = self.processor.image_processor(list(pictures), return_tensors="pt")
        pixels = pixels["pixel_values"].to(self.model.device, self.model.dtype)
        encoded: Tensor = self.model.vision_model(pixel_values=pixels).last_hidden_state
        return encoded

    def _log_probs(
        self, encoded: Tensor, questions: list[str], answers: list[str]
    ) -> tuple[Tensor, Tensor]:
        """The log-probabilities of each answer's tokens and its end, ``[M, T]``, 0 in padding.

        Beside them how many tokens each answer has, ``[M]``.
        """
        question, answer = self._tokens(questions), self._tokens(answers)
        # [CLS] answer [SEP] becomes [DEC] answer, and answer [SEP] is what it shall say.
        said, mask = answer["input_ids"][:, 1:], answer["attention_mask"][:, 1:]
        given = answer["input_ids"][:, :-1].clone()
        given[:, 0] = self.model.decoder_start_token_id
        log_probs = torch.zeros(said.shape, device=said.device)
        # Questions of one length together: transformers 5.24 loses the mask of cross-attention
        # (BlipTextAttention), so the decoder would look at a question's padding.
        lengths = question["attention_mask"].sum(1)
        for length in lengths.unique().tolist():
            rows = (lengths == length).nonzero().squeeze(1)
            read = self.model.text_encoder(
                input_ids=question["input_ids"][rows, :length],
                attention_mask=question["attention_mask"][rows, :length],
                encoder_hidden_states=encoded[rows],
            ).last_hidden_state
            logits = self.model.text_decoder(
                input_ids=given[rows],
                attention_mask=answer["attention_mask"][rows, :-1],
                encoder_hidden_states=read,
            ).logits.float()
            wanted = said[rows][..., None]
            log_probs[rows] = logits.log_softmax(-1).gather(-1, wanted).squeeze(-1)
        return log_probs.masked_fill(mask == 0, 0), mask.sum(1)

    def _tokens(self, texts: list[str]) -> Any:
        longest = self.model.config.text_config.max_position_embeddings
        return self.processor.tokenizer(
            texts,
            padding=True,
            padding_side="right",
            truncation=True,
            max_length=longest,
            return_tensors="pt",
        ).to(self.model.device)
