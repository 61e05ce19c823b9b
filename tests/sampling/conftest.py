import pytest

from tests.support.tiny_checkpoints import backbone, draw_pictures
from vqapg.judges.judge import evaluator_spec
from vqapg.sampling.picture_sampler import PictureSampler
from vqapg.tasks.checkpoints import load_generation_model


@pytest.fixture
def sampler(checkpoint):
    """sampler(name, [evaluator], [options]) -> PictureSampler of a new checkpoint of that model."""

    def make(name, evaluator=True, **options):
        generator = load_generation_model(checkpoint(name, **options))
        judge = None
        if evaluator:
            judge = evaluator_spec(checkpoint("vqapg_consistency", "evaluator.pt"))
        return PictureSampler(generator, backbone(), judge)

    return make


@pytest.fixture
def photos(tmp_path):
    return draw_pictures(tmp_path / "photos", 5)
