"""Importing this package registers every model with fairseq, so that a checkpoint of any is known
for what it is.
"""

from vqapg.models import conditional, consistency_evaluator, joint, pipeline, sequential  # noqa: F401
