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

# Table 10 by the published code: its own models, in millions, with a dictionary of so many entries.
PUBLISHED_WORDS = 8650
PUBLISHED_MILLIONS = {
    "pipeline": 61.15,
    "pipeline_variational": 100.29,
    "joint": 36.07,
    "joint_variational": 65.80,
    "sequential": 24.46,
    "sequential_variational": 41.93,
}


def paper_datasets(dataset: str | None) -> tuple[str, ...]:
    """The paper's data sets to compare *dataset* with: the same where the paper has
    it, else both.
    """
    return (dataset,) if dataset in DATASETS else tuple(DATASETS)
