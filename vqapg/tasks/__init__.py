"""What fairseq runs. With ``--user-dir`` fairseq imports this folder first."""

import os

from fairseq.utils import import_user_module

from vqapg import criterions  # noqa: F401  registers them; fairseq looks for tasks and models only


def _is_user_dir() -> bool:
    """Whether fairseq imports this package for ``--user-dir``, not a program of the user's."""
    package = os.path.realpath(os.path.dirname(os.path.dirname(__file__)))
    folders = getattr(import_user_module, "memo", ())  # fairseq's own note, made before the import
    return any(os.path.realpath(folder) == package for folder in folders)


if _is_user_dir():
    # Here, not in setup_task alone: fairseq-validate reads the checkpoint before it has a task.
    from vqapg.denormals import flush_denormals
    from vqapg.tasks.fairseq_patches import patch_fairseq

    # One of fairseq's commands begins. torch has not started its threads yet.
    flush_denormals()
    patch_fairseq()
