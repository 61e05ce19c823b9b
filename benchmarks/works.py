"""The works whose speed is measured: one batch of training, generation, scoring or extraction.

Random features, random words: questions are drawn from 107, answers from 13, as in easy-VQA. The
dictionary has 33 entries, and every pair is decoded for 11 steps. It is the joint variational model
with region scaling and attention alignment.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from fairseq import optim
from fairseq.data import Dictionary
from fairseq.dataclass.configs import FairseqConfig
from fairseq.models import MODEL_DATACLASS_REGISTRY, MODEL_REGISTRY
from fairseq.optim.fp16_optimizer import FP16Optimizer
from omegaconf import OmegaConf
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

import vqapg.tasks.vqapg
import vqapg.tasks.vqapg_consistency  # noqa: F401  registers the models
from vqapg.criterions.elbo import ElboConfig, ElboCriterion
from vqapg.generation.beam_search import BeamSearch
from vqapg.generation.token_rules import TokenRules
from vqapg.modules.noise import Stream
from vqapg.tokens import SEPARATOR

WIDTHS = {
    "published": {
        "hidden_size": 1024,
        "decoder_hidden_size": 512,
        "embed_dim": 300,
        "latent_dim": 512,
    },
    "default": {"hidden_size": 512, "embed_dim": 300, "latent_dim": 512},
    "tiny": {"hidden_size": 8, "embed_dim": 6, "latent_dim": 4},
}


@dataclass
class Sizes:
    """How large a batch is, and where and in which precision it is worked on.

    Attributes:
        resident: the features lie on the device, and a batch brings the numbers of their rows only
        optimizer: of training, by fairseq's name
        question_steps: in training, the questions of each batch in turn are cut to one of these
    """

    pairs: int
    per_image: float
    widths: str = "default"
    regions: int = 100
    channels: int = 2048
    beam: int = 10
    device: str = "cpu"
    dtype: torch.dtype = torch.float32
    resident: bool = False
    optimizer: str = "adam"
    question_steps: tuple[int, ...] = (11,)


class Work:
    """One batch of *name*: train, beam10, beam1 or score. A call does it, and gives its result.

    The result tells whether two versions of the code agree: the loss, the scores, or for each pair
    the log-probabilities and tokens of its best texts.
    """

    def __init__(self, name: str, sizes: Sizes) -> None:
        torch.manual_seed(0)
        self.name, self.sizes, self.device = name, sizes, torch.device(sizes.device)
        self.dictionary = Dictionary()
        for word in [SEPARATOR, *(f"word{number}" for number in range(33 - 5))]:
            self.dictionary.add_symbol(word)
        self.model, task = self._model()
        images = max(1, round(sizes.pairs / sizes.per_image))
        self.image_index = (torch.arange(sizes.pairs) * images // sizes.pairs).to(self.device)
        self.stored = torch.randn(images, sizes.regions, sizes.channels).half()
        self.rows = torch.arange(images, device=self.device)
        if sizes.resident:
            self.stored = self.stored.to(self.device)
        # 7 to 11 and 2 decoding steps with the ends
        self.question, self.answer = self._texts(107, 6, 10), self._texts(13, 1, 1)
        self.keys = np.array([[1, 1, pair] for pair in range(sizes.pairs)])
        prepare = {"train": self._training, "score": self._scoring}.get(name, self._generation)
        self.run: Callable[[], Any] = prepare(task)

    def __call__(self) -> Any:
        return self.run()

    def flops(self) -> int:
        """Floating-point operations of the products of one batch."""
        # The LSTMs of oneDNN and cuDNN hide theirs from the counter.
        with _plain_lstms(), FlopCounterMode(display=False) as counter:
            self.run()
        return int(counter.get_total_flops())

    def _model(self) -> tuple[Any, SimpleNamespace]:
        arch = "vqapg_consistency" if self.name == "score" else "vqapg_joint_variational"
        config = MODEL_DATACLASS_REGISTRY[arch]
        chosen = WIDTHS[self.sizes.widths].items()
        options = {option: size for option, size in chosen if hasattr(config, option)}
        features = SimpleNamespace(
            path=None,
            mean=np.zeros(self.sizes.channels, np.float32),
            std=np.ones(self.sizes.channels, np.float32),
            source={"backbone": "resnet50", "weights_sha256": "", "image_size": 299},
        )
        task = SimpleNamespace(
            dictionary=self.dictionary, features=features, target_dictionary=self.dictionary
        )
        model = MODEL_REGISTRY[arch].build_model(config(**options), task)
        return model.to(self.device, self.sizes.dtype), task

    def _texts(self, distinct: int, shortest: int, longest: int) -> Tensor:
        words = self.dictionary
        lengths = torch.randint(shortest, longest + 1, (distinct, 1))
        text = torch.randint(words.nspecial + 1, len(words), (distinct, longest + 1))
        text.scatter_(1, lengths, words.eos())
        text = text.masked_fill(torch.arange(longest + 1) > lengths, words.pad())
        return text[torch.randint(distinct, (self.sizes.pairs,))].to(self.device)

    def _features(self) -> Tensor:
        return self.stored[self.rows] if self.sizes.resident else self.stored.to(self.device)

    def _training(self, task: SimpleNamespace) -> Callable[[], Any]:
        criterion = ElboCriterion(ElboConfig(), task)
        optimizer = _optimizer(self.model, self.sizes)
        steps = itertools.cycle(self.sizes.question_steps)
        self.model.train()

        def step() -> Any:
            batch = {
                "features": self._features(),
                "image_index": self.image_index,
                "question": self.question[:, : next(steps)],
                "answer": self.answer,
                "noise_keys": self.keys,
            }
            optimizer.zero_grad()
            loss, size, _ = criterion(
                self.model, {"net_input": batch, "nsentences": self.sizes.pairs}
            )
            loss = loss / size
            optimizer.backward(loss)
            optimizer.clip_grad_norm(5.0)
            # A scale of half precision that was too large costs its step.
            with contextlib.suppress(OverflowError):
                optimizer.step()
            return loss.detach()

        return step

    def _scoring(self, _: SimpleNamespace) -> Callable[[], Any]:
        self.model.eval()
        # As collate_triples makes them: every distinct text once
        (question, question_index), (answer, answer_index) = (
            text.unique(dim=0, return_inverse=True) for text in (self.question, self.answer)
        )
        triples = torch.stack([self.image_index, question_index, answer_index], dim=1)

        def step() -> Any:
            with torch.inference_mode():
                return self.model(
                    features=self._features(), question=question, answer=answer, triples=triples
                ).logits

        return step

    def _generation(self, _: SimpleNamespace) -> Callable[[], Any]:
        self.model.eval()
        words = self.dictionary
        forbidden = (words.bos(), words.pad(), words.index(SEPARATOR))

        def search_of(shortest: int, longest: int) -> BeamSearch:
            rules = TokenRules(
                words.eos(), forbidden, words.unk(), min_len=shortest, max_len=longest
            )
            return BeamSearch(rules, 1 if self.name == "beam1" else self.sizes.beam)

        searches = {Stream.QUESTION: search_of(8, 8), Stream.ANSWER: search_of(1, 1)}

        def search(decoder: Any, *rest: Any) -> Any:
            return searches[decoder.stream](decoder, *rest)

        def step() -> Any:
            with torch.inference_mode():
                return self.model.generate(self._features(), self.image_index, self.keys, search)

        return step


def numbers(result: Any) -> list[float]:
    """A result of a :class:`Work`, flat. Only the best pair of each row counts."""
    if isinstance(result, Tensor):
        return [float(number) for number in result.float().flatten().tolist()]
    flat: list[float] = []
    for row in result:
        for text in row[0].values():
            flat += [text.total, *map(float, text.tokens.tolist())]
    return flat


def _optimizer(model: Any, sizes: Sizes) -> Any:
    """fairseq's; in half precision, as ``--fp16`` has it, with a copy of the weights in float32."""
    config = OmegaConf.structured(FairseqConfig)
    chosen: dict[str, Any] = {
        "_name": sizes.optimizer,
        "adam_betas": "(0.9, 0.999)",
        "adam_eps": 1e-8,
        "weight_decay": 0.0,
        "lr": [1e-4],
    }
    if sizes.optimizer == "adam":
        chosen |= {"tpu": False, "use_old_adam": False, "fp16_adam_stats": False}
    config.optimizer = chosen
    config.common.bf16 = sizes.dtype is torch.bfloat16
    parameters = list(model.parameters())
    if sizes.dtype is torch.float32:
        return optim.build_optimizer(config.optimizer, parameters)
    return FP16Optimizer.build_optimizer(config, parameters)


@contextlib.contextmanager
def _plain_lstms() -> Iterator[None]:
    with (
        torch.backends.mkldnn.flags(enabled=False),
        torch.backends.cudnn.flags(enabled=False),
    ):
        yield
