"""Vision-language models that chat, of whatever architecture: what has a chat template."""

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor

from vqapg.errors import InputError
from vqapg.judges.vlm_score import Asked, answer_probability, share_of_yes

ANSWER_IT = "{question}\nAnswer with one word or a short phrase, in lower case."
IS_IT_RIGHT = (
    "Question: {question}\nProposed answer: {answer}\n"
    "Is the proposed answer right? Please answer yes or no."
)
YES, NO = (
    ("Yes", "yes", " Yes", " yes", "YES"),
    ("No", "no", " No", " no", "NO"),
)


class Texts(NamedTuple):
    """What a model reads of one triple.

    Attributes:
        whole: the conversation as the chat template writes it
        scored: how many tokens at its end are the answer and its end; 0: the next one is asked for
    """

    whole: str
    scored: int


class ChatScorer:
    """Scores by what the model would say next in a conversation about the picture.

    Args:
        model: an image-text-to-text model
        processor: its processor, with a chat template
        ask: "answer" or "yes", see :mod:`vqapg.judges.vlm_score`

    Raises:
        InputError: if yes is asked for, and the tokenizer tells yes from no by no first token
    """

    def __init__(self, model: Any, processor: Any, ask: str) -> None:
        self.model, self.processor, self.ask = model, processor, ask
        self.tokenizer = processor.tokenizer
        yes, no = (self._first_tokens(words) for words in (YES, NO))
        self.yes, self.no = sorted(yes - no), sorted(no - yes)
        if ask == "yes" and not (self.yes and self.no):
            raise InputError(
                "--judge hf: the model's tokenizer has no tokens for yes and no; give score=answer"
            )
        # Logits of every place would take gigabytes: a picture is hundreds of tokens.
        self.chooses_logits = "logits_to_keep" in inspect.signature(model.forward).parameters

    def score(self, pictures: Sequence[Image], asked: Sequence[Asked]) -> NDArray[np.float64]:
        """As :meth:`~vqapg.judges.vlm_score.Scorer.score`."""
        texts = [self._texts(one) for one in asked]
        inputs = self._inputs([pictures[one.picture] for one in asked], texts)
        # Of each row the places whose next token is asked for; shorter rows repeat the last.
        places = inputs["attention_mask"].size(1) - 1 - inputs["attention_mask"].flip(1).argmax(1)
        scored = torch.tensor([text.scored for text in texts], device=places.device)
        steps = torch.arange(max(int(scored.max()), 1), device=places.device)
        wanted = torch.minimum(places[:, None] - scored[:, None] + steps, places[:, None])
        log_probs = self._log_probs(inputs, wanted)
        if self.ask == "yes":
            return share_of_yes(
                *(log_probs[:, 0, words].logsumexp(-1) for words in (self.yes, self.no))
            )
        said = inputs["input_ids"].gather(1, torch.minimum(wanted + 1, places[:, None]))
        return answer_probability(log_probs.gather(-1, said[..., None]).squeeze(-1), scored)

    def _log_probs(self, inputs: Any, wanted: Tensor) -> Tensor:
        """The log-probabilities of what follows the places *wanted*: ``[M, T] -> [M, T, V]``."""
        keep, row_of = wanted.unique(return_inverse=True)
        if self.chooses_logits:
            logits: Tensor = self.model(**inputs, logits_to_keep=keep).logits
        else:
            logits = self.model(**inputs).logits[:, keep]
        rows = torch.arange(len(wanted), device=wanted.device)[:, None]
        return logits[rows, row_of].float().log_softmax(-1)

    def _inputs(self, pictures: list[Image], texts: list[Texts]) -> Any:
        begins = self.tokenizer.bos_token
        return self.processor(
            text=[text.whole for text in texts],
            images=[[picture] for picture in pictures],
            padding=True,
            padding_side="right",
            # A template may have written the first token already.
            add_special_tokens=not (begins and texts[0].whole.startswith(begins)),
            return_tensors="pt",
        ).to(device=self.model.device, dtype=self.model.dtype)

    def _texts(self, one: Asked) -> Texts:
        if self.ask == "yes":
            return Texts(
                self._chat(IS_IT_RIGHT.format(question=one.question, answer=one.answer)), 0
            )
        prompt = self._chat(ANSWER_IT.format(question=one.question))
        whole = self._chat(ANSWER_IT.format(question=one.question), one.answer).rstrip()
        if whole.endswith(one.answer):  # a template that does not end what it says
            whole += self.tokenizer.eos_token or ""
        # Where the two part, the answer begins. The picture's tokens stand before, in both alike.
        asked, said = (
            self.tokenizer(text, add_special_tokens=False)["input_ids"] for text in (prompt, whole)
        )
        common = 0
        while common < min(len(asked), len(said)) and asked[common] == said[common]:
            common += 1
        return Texts(whole, len(said) - common)

    def _chat(self, prompt: str, answer: str | None = None) -> str:
        words = [{"type": "image"}, {"type": "text", "text": prompt}]
        messages = [{"role": "user", "content": words}]
        if answer is not None:
            said = [{"type": "text", "text": answer}]
            messages.append({"role": "assistant", "content": said})
        return str(
            self.processor.apply_chat_template(
                messages, add_generation_prompt=answer is None, tokenize=False
            )
        )

    def _first_tokens(self, words: Sequence[str]) -> set[int]:
        """The first token of each of *words*, without those that stand for no word."""
        tokens = [self.tokenizer(word, add_special_tokens=False)["input_ids"] for word in words]
        return {ids[0] for ids in tokens if ids} - set(self.tokenizer.all_special_ids)
