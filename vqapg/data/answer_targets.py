"""What the evaluator's losses over answers aim at: which answers are right, and how frequent."""

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
import torch

from vqapg.data.directory import Pair
from vqapg.data.swapped_images import normal_form


class AnswerTargets:
    """Targets of one split's pairs.

    Args:
        pairs: of the split
        train: the training pairs, whose answers are ranked by frequency
    """

    def __init__(self, pairs: Collection[Pair], train: Collection[Pair]) -> None:
        self.listed = set(pairs)
        counts = Counter(pair.answer for pair in train)
        # Equally frequent ones by their letters, so that the order of pairs does not matter.
        frequent = sorted(counts, key=lambda answer: (-counts[answer], answer))
        self.rank = {answer: rank for rank, answer in enumerate(frequent)}

    def of(self, pairs: Sequence[Pair], answers: Sequence[str]) -> dict[str, torch.Tensor]:
        """The targets of a batch.

        An answer is right for a pair where it reads as the pair's own, as VQA's evaluation compares
        answers, or where it is listed with the same image and question.

        Args:
            pairs: the batch's
            answers: the batch's distinct answers

        Returns:
            ``right_answers``, bool ``[P, A]``; ``answer_ranks [P]``, by frequency from 0, and -1
            for an answer that is not in the training pairs
        """
        forms = [normal_form(answer) for answer in answers]
        right = [
            [
                form == normal_form(pair.answer) or pair._replace(answer=answer) in self.listed
                for answer, form in zip(answers, forms)
            ]
            for pair in pairs
        ]
        ranks = [self.rank.get(pair.answer, -1) for pair in pairs]
        return {
            "right_answers": torch.from_numpy(np.array(right)),
            "answer_ranks": torch.tensor(ranks),
        }
