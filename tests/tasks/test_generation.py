from types import SimpleNamespace

import pytest

from vqapg.errors import InputError
from vqapg.tasks.generation import GenerationTask


def test_several_models_are_refused(dictionary):
    task = SimpleNamespace(dictionary=dictionary)
    with pytest.raises(InputError, match="--path names 2 checkpoints"):
        GenerationTask.build_generator(task, ["one", "another"], SimpleNamespace())
