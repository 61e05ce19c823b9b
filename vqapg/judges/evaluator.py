"""The trained consistency evaluator as a judge (section 4.6)."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from vqapg.data.consistency_dataset import collate_triples
from vqapg.demo import evaluator_path
from vqapg.denormals import denormals_flushed
from vqapg.devices import chosen_device
from vqapg.errors import InputError
from vqapg.files import sha256
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Triple
from vqapg.judges.picture_features import PictureFeatures
from vqapg.tasks.checkpoint_file import read_checkpoint
from vqapg.tasks.checkpoints import (
    load_backbone,
    load_evaluator,
    load_evaluator_for,
    load_model,
)
from vqapg.tasks.vqapg_consistency import ConsistencyConfig, ConsistencyTask

AT_ONCE = 256  # triples


class EvaluatorJudge:
    """The score s of equation 6, by the checkpoint of a consistency evaluator.

    Args:
        argument: the checkpoint's path, or "demo"
        context: the images: in a data directory, in memory, or pictures whose features are then
            made by the backbone that the checkpoint names

    Raises:
        InputError: if it is no evaluator's checkpoint, or the evaluator was trained on other data,
            or with other weights of the backbone
    """

    def __init__(self, argument: str, context: JudgeContext) -> None:
        if not argument:
            raise InputError("--judge evaluator: names no checkpoint; give evaluator:CKPT")
        argument = self.path = os.fspath(evaluator_path(argument))
        if context.features is not None:
            loaded = load_evaluator_for(context.features.generator, argument)
            self.model = loaded.model.to(context.features.device)
            self.dictionary = loaded.dictionary
            self.features: Any = context.features
        elif context.data is None and context.open_picture is not None:
            device = chosen_device("auto")
            loaded = load_evaluator(argument)
            backbone = load_backbone(loaded.features, context.weights).to(device)
            self.model = loaded.model.to(device)
            self.dictionary = loaded.dictionary
            self.features = PictureFeatures(context.open_picture, backbone, device)
        else:
            data = str(context.directory("evaluator").path)
            task = ConsistencyTask(ConsistencyConfig(_name="vqapg_consistency", data=data, seed=1))
            self.model = load_model(argument, task)
            self.dictionary, self.features = task.dictionary, task.features
        # Pairs for pictures are judged a few at a time, and have a bar of their own.
        self.quiet = context.features is not None
        digest = sha256(argument)
        self.name = f"evaluator:{digest[:12]}"
        self.identity = {"judge": "evaluator", "path": argument, "sha256": digest}

    def negatives(self) -> str:
        """The ``--negatives`` that the evaluator was trained with; "-" where nobody knows."""
        return str(read_checkpoint(self.path).state["cfg"].task.get("negatives", "-"))

    def score(self, triples: Sequence[Triple]) -> NDArray[np.float64]:
        """As :meth:`~vqapg.judges.judge.Judge.score`.

        Raises:
            InputError: if an image has no features
        """
        # In the order of the triples: where features are made on the way, rows are given here.
        self.features.require(dict.fromkeys(triple.image for triple in triples))
        device = next(self.model.parameters()).device
        scores = np.empty(len(triples))
        # Triples of an image side by side, so that a batch holds few images.
        order = sorted(range(len(triples)), key=lambda i: self.features.rows[triples[i].image])
        batches = [order[start : start + AT_ONCE] for start in range(0, len(order), AT_ONCE)]
        for batch in tqdm(batches, desc="scoring", unit="batch", disable=self.quiet):
            inputs = collate_triples([triples[i] for i in batch], self.dictionary, self.features)
            with torch.inference_mode(), denormals_flushed():
                judgement = self.model(**{name: x.to(device) for name, x in inputs.items()})
            scores[batch] = torch.sigmoid(judgement.logits.float()).cpu().numpy()
        return scores
