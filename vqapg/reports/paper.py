"""The paper's figures (Findings of EMNLP 2021), as printed in its Tables 2 to 6 and 8 to 10, and
what they are of.
"""

import json
from importlib.resources import files

PAPER = json.loads(
    files("vqapg.reports").joinpath("paper_results.json").read_text(encoding="utf-8")
)
DATASETS = {"vqa2": "VQA2.0", "visual7w": "Visual7W"}

# The paper's names of the models; * is variational. Its ablations' keys are ours but for the words.
MODELS = {
    "pipeline": "Pipeline",
    "pipeline_variational": "Pipeline*",
    "joint": "Joint",
    "joint_variational": "Joint*",
    "sequential": "Sequential",
    "sequential_variational": "Sequential*",
}
VARIATIONAL = tuple(name for name in MODELS if name.endswith("_variational"))


def paper_datasets(dataset):
    """The paper's data sets to compare *dataset* with: the same where the paper has
    it, else both.
    """
    return (dataset,) if dataset in DATASETS else tuple(DATASETS)
