"""The task ``vqapg_consistency``: is a question-answer pair consistent with an
image? (section 4.6)
"""

from dataclasses import dataclass, field

from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from fairseq.tasks import register_task

from vqapg.data.consistency_dataset import ConsistencyDataset
from vqapg.data.directory import SPLITS, Pair
from vqapg.data.negatives import NEGATIVES, known_answers
from vqapg.errors import InputError
from vqapg.models.consistency_evaluator import ConsistencyModel
from vqapg.tasks.data_task import DataConfig, DataDirectoryTask


@dataclass
class ConsistencyConfig(DataConfig):
    negatives: ChoiceEnum(list(NEGATIVES)) = field(
        default="paper",
        metadata={
            "help": "paper: one of four shuffles a mini-batch (section 4.6), less what is a pair "
            "of the data; published: the same, and what is a pair stays a negative, as in the "
            "authors' code; hard: for each pair a shuffle of its own, an answer to the same type "
            "of question, or another answer from the same image; people: a wrong answer that "
            "people wrote to the question, where the data directory has them; swapped: for half of "
            "the pairs another image, whose own answer differs, with the same question and "
            "answer; for the others a shuffle each"
        },
    )


@register_task("vqapg_consistency", dataclass=ConsistencyConfig)
class ConsistencyTask(DataDirectoryTask):
    model_classes = (ConsistencyModel,)
    # fairseq builds the model before it loads a split.
    needs_answer_targets = False

    def build_model(self, cfg: FairseqDataclass, from_checkpoint: bool = False) -> ConsistencyModel:
        model = super().build_model(cfg, from_checkpoint)
        self.needs_answer_targets = bool(model.contrastive_weight or model.answer_prediction_weight)
        return model

    def build_generator(self, models, args, **kwargs):
        raise InputError(
            "--task vqapg_consistency judges pairs and generates none; generate with --task vqapg"
        )

    def make_dataset(self, pairs: list[Pair], training: bool) -> ConsistencyDataset:
        wrong_answers = {}
        if str(self.cfg.negatives) == "people":
            # By pair, so that those of all splits can stand together.
            for split in SPLITS:
                wrong_answers |= self.directory.wrong_answers(split)
        return ConsistencyDataset(
            pairs,
            self.dictionary,
            self.read_features,
            self.cfg.seed,
            training,
            str(self.cfg.negatives),
            known_answers(wrong_answers, self.directory.words),
            self.directory.pairs("train") if self.needs_answer_targets else None,
        )
