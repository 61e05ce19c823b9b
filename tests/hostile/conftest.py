"""The annotation session of tests/annotation, for hostile inputs."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from tests.support.annotated_pairs import IMAGES, MODELS, generated
from vqapg.annotation.drawing import draw_groups
from vqapg.annotation.session import write_session
from vqapg.data.pictures import open_rgb


@pytest.fixture
def session(tmp_path):
    """A session of three images, made in tmp_path / "session"."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, image in enumerate(IMAGES):
        Image.new("RGB", (60, 40), (80 * number, 120, 200)).save(folder / image)
    data = SimpleNamespace(path=Path("DATA"), picture=lambda image: open_rgb(folder / image))
    drawn, groups = draw_groups(generated(), IMAGES, 3, seed=1)
    models = {model: {"pairs_file": "x"} for model in MODELS}
    return write_session(tmp_path / "session", data, drawn, groups, seed=1, models=models)
