"""What both tasks share: a prepared data directory, and the models they run."""

import logging
import math
from dataclasses import dataclass, field
from typing import Any

from fairseq.data import Dictionary
from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from fairseq.tasks import FairseqTask
from omegaconf import II, MISSING

import vqapg.models  # a checkpoint of another task is then named, not just unknown
import vqapg.tasks.fused_adam  # noqa: F401  registers it, whoever imports the tasks
from vqapg.data.directory import DataDirectory
from vqapg.data.feature_store import FeatureStore
from vqapg.data.resident_features import ResidentFeatures
from vqapg.errors import InputError
from vqapg.memory import keep_freed_memory
from vqapg.tasks.embeddings import start_from_vectors
from vqapg.tokens import SEPARATOR

logger = logging.getLogger(__name__)


@dataclass
class DataConfig(FairseqDataclass):
    data: str = field(default=MISSING, metadata={"help": "directory made by `vqapg prepare`"})
    features_on_device: bool = field(
        default=False,
        metadata={
            "help": "hold all features on the device that computes, so that a step moves row "
            "numbers only"
        },
    )
    global_batch_size: int = field(
        default=0,
        metadata={
            "help": "pairs of one update over all processes, which share them equally, and so do "
            "the batches of --update-freq. --batch-size is then the most one process takes at "
            "once. Training only; 0: --batch-size pairs a process"
        },
    )
    freed_memory: ChoiceEnum(["kept", "given-back"]) = field(
        default="kept",
        metadata={
            "help": "what becomes of the memory of large tensors that are freed, on a CPU under "
            "Linux; kept: the process reuses it, which is faster; given-back: the system has it "
            "again at once, and the process stays smaller"
        },
    )
    seed: int = II("common.seed")
    update_freq: list[int] = II("optimization.update_freq")  # noqa: RUF009  another section's


def load_dictionary(path):
    """fairseq's Dictionary from dict.txt. Raises InputError when it is none, or lacks the
    separator.
    """
    try:
        dictionary = Dictionary.load(str(path))
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"{path}: not a dictionary ({reason}); run vqapg prepare again, with --overwrite"
        ) from error
    except Exception as error:  # what fairseq raises on text that is not UTF-8
        raise InputError(
            f"{path}: not UTF-8 text; run vqapg prepare again, with --overwrite"
        ) from error
    if SEPARATOR not in dictionary:
        raise InputError(f"{path}: lacks {SEPARATOR}; run vqapg prepare again, with --overwrite")
    return dictionary


class DataDirectoryTask(FairseqTask):
    """A task over a directory made by ``vqapg prepare`` and ``vqapg extract-features``.

    A task of its own says ``make_dataset(pairs, training)``, what a split is read as.

    Attributes:
        directory, dictionary, features: what the directory holds
        read_features: what datasets read the features from: the file, or with
            ``--features-on-device`` what holds them
        model_classes: the models this task runs

    Raises:
        InputError: if the directory is none, or lacks features
    """

    model_classes: tuple = ()

    def __init__(self, cfg: DataConfig) -> None:
        super().__init__(cfg)
        if cfg.global_batch_size < 0:
            raise InputError(f"--global-batch-size must be at least 0, not {cfg.global_batch_size}")
        self.warned: set[str] = set()
        if str(cfg.freed_memory) == "kept":
            keep_freed_memory()
        self.directory = DataDirectory(cfg.data)
        self.dictionary = load_dictionary(self.directory.dictionary_path)
        self.features = FeatureStore(self.directory.features_path)
        self.read_features = (
            ResidentFeatures(self.features) if cfg.features_on_device else self.features
        )

    @classmethod
    def setup_task(cls, cfg, **kwargs):
        # Late, for it imports this module, and fairseq's trainer, which few need.
        from vqapg.tasks.fairseq_patches import patch_fairseq

        patch_fairseq()
        return cls(cfg)

    def get_checkpoint_dict(self) -> dict[str, Any]:
        """What fairseq puts into every checkpoint besides."""
        from vqapg.tasks import early_stopping

        return early_stopping.state()

    def build_model(self, cfg, from_checkpoint=False):
        model = super().build_model(cfg, from_checkpoint)
        if not isinstance(model, self.model_classes):
            raise InputError(
                f"{cfg._name} is no model of --task {self.cfg._name}"
                + (
                    ": the checkpoint is of another task; give a checkpoint that this task trained"
                    if from_checkpoint
                    else "; vqapg_consistency goes with --task vqapg_consistency, every other "
                    "with --task vqapg"
                )
            )
        # A checkpoint brings its embeddings.
        if not from_checkpoint and cfg.embed_path:
            start_from_vectors(model, self.dictionary, cfg.embed_path, cfg.embed_dim)
        return model

    def load_dataset(self, split, epoch=1, combine=False, task_cfg=None, **kwargs):
        dataset = self.make_dataset(self.directory.pairs(split), training=split == "train")
        if not len(dataset):
            raise InputError(
                f"{self.features.path}: leaves out every image of the {split} split; make it anew "
                f"with: vqapg extract-features {self.directory.path} --overwrite"
            )
        self.datasets[split] = dataset

    def get_batch_iterator(self, dataset, max_tokens=None, max_sentences=None, **options):
        if max_sentences is not None and max_sentences < 1:
            raise InputError(f"--batch-size must be at least 1, not {max_sentences}")
        if getattr(dataset, "training", False) and self.cfg.global_batch_size:
            max_sentences = self._share_of_update(
                max_sentences, options.get("num_shards", 1), options.get("epoch", 1)
            )
        longest = int(dataset.sizes.max()) if len(dataset) else 0
        if max_tokens is not None and max_tokens < longest:
            raise InputError(
                f"--max-tokens {max_tokens} is less than one pair, the longest of which has "
                f"{longest} tokens; give at least that, or --batch-size instead"
            )
        return super().get_batch_iterator(
            dataset, max_tokens=max_tokens, max_sentences=max_sentences, **options
        )

    def _share_of_update(self, largest: int | None, processes: int, epoch: int) -> int:
        """How many pairs of ``--global-batch-size`` one batch of one process has.

        Args:
            largest: ``--batch-size``
            processes: that train together
            epoch: ``--update-freq`` may be another one in each, and the last one holds on
        """
        freqs = self.cfg.update_freq
        batches = processes * freqs[min(epoch, len(freqs)) - 1]
        share = math.ceil(self.cfg.global_batch_size / batches)
        if largest is None or share <= largest:
            return share
        self._warn_once(
            f"--batch-size {largest} makes an update of {batches * largest:,} pairs, not of "
            f"--global-batch-size {self.cfg.global_batch_size:,}; give --batch-size {share}, or a "
            "larger --update-freq"
        )
        return largest

    def _warn_once(self, line: str) -> None:
        # Batches are made anew for each epoch.
        if line not in self.warned:
            self.warned.add(line)
            logger.warning(line)

    def train_step(self, sample, model, *args, **kwargs):
        return super().train_step(self._with_features(sample), model, *args, **kwargs)

    def valid_step(self, sample, model, criterion):
        return super().valid_step(self._with_features(sample), model, criterion)

    def inference_step(self, generator, models, sample, *args, **kwargs):
        return super().inference_step(
            generator, models, self._with_features(sample), *args, **kwargs
        )

    def _with_features(self, sample):
        """The sample, its row numbers replaced by features where these lie on the device."""
        inputs = sample["net_input"]
        if inputs["features"].is_floating_point():
            return sample
        return sample | {
            "net_input": inputs | {"features": self.read_features.look_up(inputs["features"])}
        }

    @property
    def source_dictionary(self):
        # The source is an image.
        return None

    @property
    def target_dictionary(self):
        return self.dictionary

    def max_positions(self):
        return None
