import pytest

from tests.support.tiny_checkpoints import backbone, draw_pictures, save_checkpoint
from vqapg.sampling.checkpoint import load_evaluator_for, load_generation_model
from vqapg.sampling.sampler import PairSampler


@pytest.fixture
def checkpoint(tmp_path, dictionary):
    """checkpoint(name, [options]) -> path of a new checkpoint of that model."""

    def save(name, path="model.pt", of_dictionary=dictionary, **options):
        save_checkpoint(tmp_path / path, name, of_dictionary, **options)
        return tmp_path / path

    return save


@pytest.fixture
def sampler(checkpoint):
    """sampler(name, [evaluator], [options]) -> PairSampler of a new checkpoint of that model."""

    def make(name, evaluator=True, **options):
        generator = load_generation_model(checkpoint(name, **options))
        judge = (
            load_evaluator_for(generator, checkpoint("vqapg_consistency", "evaluator.pt"))
            if evaluator
            else None
        )
        return PairSampler(generator, judge, backbone())

    return make


@pytest.fixture
def photos(tmp_path):
    return draw_pictures(tmp_path / "photos", 5)
