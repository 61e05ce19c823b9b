"""Lets fairseq's checkpoints load with ``torch.load(weights_only=True)``, the default."""

import argparse
import collections
import typing

import torch
from fairseq.distributed.utils import _TensorPlaceholder
from omegaconf import DictConfig, ListConfig, base, nodes

# What fairseq stores beside tensors: configurations, and metrics' containers. Data types only, none runs code.
CHECKPOINT_TYPES = [
    argparse.Namespace,
    DictConfig,
    ListConfig,
    base.ContainerMetadata,
    base.Metadata,
    nodes.AnyNode,
    typing.Any,
    collections.defaultdict,
    dict,
    list,
    int,
    _TensorPlaceholder,
]


def allow_checkpoint_types():
    torch.serialization.add_safe_globals(CHECKPOINT_TYPES)
