"""Importing this package registers the criterions with fairseq."""

from vqapg.criterions import consistency_loss, elbo  # noqa: F401
