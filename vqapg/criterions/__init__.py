"""Importing this package registers the criterions with fairseq."""

from vqapg.criterions import consistency, elbo  # noqa: F401
