"""The task ``vqapg_consistency``: is a question-answer pair consistent with an image? (section 4.6)"""

from fairseq.tasks import register_task

from vqapg.data.negatives import ConsistencyDataset
from vqapg.models.consistency import ConsistencyModel
from vqapg.tasks.base import DataConfig, DataDirectoryTask


@register_task("vqapg_consistency", dataclass=DataConfig)
class ConsistencyTask(DataDirectoryTask):
    dataset_class = ConsistencyDataset
    model_classes = (ConsistencyModel,)
