import pytest

from tests.support.tiny_checkpoints import backbone, draw_pictures
from vqapg.sampling.sampler import PairSampler
from vqapg.tasks.checkpoints import load_evaluator_for, load_generation_model


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
