"""A VQA model as a judge: does it give the same answer to the question? (round trip)

It was trained on gold pairs alone and never saw a negative, so it errs in other ways than the
consistency evaluator. The score is 1 or 0: agreement after VQA's normalisation of answers is what
``vqapg round-trip`` counts. The model's probability of the answer would also punish another wording
of the same answer.

Two options make other judges of it. ``score=f1`` counts the words that the two answers share.
``blind=CKPT`` takes away what a model without the image (``--blind``) answers as well: what is left
depends on the image.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from fairseq.dataclass.configs import GenerationConfig as FairseqGenerationConfig
from numpy.typing import NDArray
from tqdm import tqdm

from vqapg.data.directory import DataDirectory
from vqapg.data.image_inputs import image_inputs
from vqapg.data.pair_dataset import pad
from vqapg.data.tokenizer import detokenize
from vqapg.data.vqa_answers import exact_match, token_f1
from vqapg.errors import InputError
from vqapg.files import sha256
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Triple
from vqapg.judges.spec_options import split_options
from vqapg.tasks.checkpoints import load_model
from vqapg.tasks.vqapg import GenerationConfig, GenerationTask
from vqapg.tokens import SEPARATOR

LONGEST_ANSWER = 50  # words, so that a model that has not learned to end costs no minutes
AT_ONCE = 256  # questions
AGREEMENTS: dict[str, Callable[[str, str], float]] = {"exact": exact_match, "f1": token_f1}
OPTIONS = {"score": tuple(AGREEMENTS), "blind": ()}


class VQAJudge:
    """How well the answer of a ``vqapg_vqa`` checkpoint agrees with the triple's, in [0, 1].

    Args:
        argument: the checkpoint's path, or with options ``CKPT?score=f1&blind=CKPT``:

            - ``score``: "exact", 1 or 0, by default; or "f1", the F1 of the answers' words
            - ``blind``: a checkpoint trained with ``--blind``; the score is then multiplied by 1
              minus the score that the blind model gets
        context: the images, in a data directory with features

    Raises:
        InputError: as :class:`Answerer`, or without a data directory
    """

    def __init__(self, argument: str, context: JudgeContext) -> None:
        path, options = split_options("vqa", argument, OPTIONS)
        if not path:
            raise InputError("--judge vqa: names no checkpoint; give vqa:CKPT")
        data = context.directory("vqa")
        self.answerer = Answerer(path, data, blind=False)
        self.agreement = AGREEMENTS[options.get("score", "exact")]
        digest = sha256(path)
        self.name = f"vqa:{digest[:12]}"
        self.identity: dict[str, Any] = {"judge": "vqa", "path": path, "sha256": digest}
        self.blind = None
        if "score" in options:
            self.name += f":{options['score']}"
            self.identity["score"] = options["score"]
        if "blind" in options:
            self.blind = Answerer(options["blind"], data, blind=True)
            digest = sha256(options["blind"])
            self.name += f":blind:{digest[:12]}"
            self.identity["blind"] = {"path": options["blind"], "sha256": digest}

    def score(self, triples: Sequence[Triple]) -> NDArray[np.float64]:
        """As :meth:`~vqapg.judges.judge.Judge.score`.

        Raises:
            InputError: if an image has no features
        """
        agreed = self._agreement(self.answerer, triples)
        return agreed if self.blind is None else agreed * (1 - self._agreement(self.blind, triples))

    def _agreement(self, answerer: "Answerer", triples: Sequence[Triple]) -> NDArray[np.float64]:
        asked = list(dict.fromkeys(triple[:2] for triple in triples))
        answer_to = dict(zip(asked, answerer.answers(asked), strict=True))
        return np.array(
            [
                self.agreement(
                    detokenize(answer_to[triple[:2]].split()), detokenize(triple.answer.split())
                )
                for triple in triples
            ],
            dtype=np.float64,
        )


class Answerer:
    """The model of a ``vqapg_vqa`` checkpoint, to answer questions.

    Args:
        checkpoint: its path
        data: the data directory, whose features hold the images
        blind: whether it must be one that was trained with ``--blind``, or must not
        beam: 1: the most probable word each time

    Raises:
        InputError: as :func:`~vqapg.tasks.checkpoints.load_model`, or if it is no ``vqapg_vqa``, or
            is blind where it must not be, or the other way round
    """

    def __init__(self, checkpoint: str, data: DataDirectory, blind: bool, beam: int = 1) -> None:
        self.task = GenerationTask(GenerationConfig(_name="vqapg", data=str(data.path), seed=1))
        self.model: Any = load_model(checkpoint, self.task)
        if self.model.given != "question":
            raise InputError(
                f"{checkpoint}: does not answer questions; give a checkpoint of --arch vqapg_vqa"
            )
        if self.model.blind != blind:
            is_, wanted = ("blind", "without") if self.model.blind else ("not blind", "with")
            raise InputError(f"{checkpoint}: is {is_}; give a vqapg_vqa trained {wanted} --blind")
        options = FairseqGenerationConfig(beam=beam, nbest=1, max_len_b=LONGEST_ANSWER)
        self.generator: Any = self.task.build_generator([self.model], options)

    def answers(self, asked: Sequence[tuple[str, str]]) -> list[str]:
        """The answer to each (image, question), all texts in tokens.

        Raises:
            InputError: if an image has no features
        """
        features, dictionary = self.task.features, self.task.dictionary
        features.require(dict.fromkeys(image for image, _ in asked))
        device = next(self.model.parameters()).device
        answers = [""] * len(asked)
        # Questions of an image side by side, so that a batch holds few images.
        order = sorted(range(len(asked)), key=lambda i: features.rows[asked[i][0]])
        batches = [order[start : start + AT_ONCE] for start in range(0, len(order), AT_ONCE)]
        doing = "answering blindly" if self.model.blind else "answering"
        for batch in tqdm(batches, desc=doing, unit="batch"):
            images, image_index = np.unique(
                [features.rows[asked[i][0]] for i in batch], return_inverse=True
            )
            inputs = {
                **{name: x.to(device) for name, x in image_inputs(features, images).items()},
                "image_index": torch.from_numpy(image_index).to(device),
                "question": pad([asked[i][1] for i in batch], dictionary).to(device),
                # There is no latent variable: nothing is drawn.
                "noise_keys": np.zeros((len(batch), 3), dtype=np.int64),
            }
            hypotheses = self.generator.generate([self.model], {"net_input": inputs})
            for i, (hypothesis,) in zip(batch, hypotheses, strict=True):
                answers[i] = dictionary.string(hypothesis["tokens"]).split(f"{SEPARATOR} ")[1]
        return answers
