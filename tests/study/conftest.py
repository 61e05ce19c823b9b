import pytest

from tests.support.study_programs import Programs
from tests.support.study_runs import TABLE_4, continued
from tests.support.xdist import made_once


@pytest.fixture
def programs(tmp_path):
    """Stand-ins in an empty folder."""
    return Programs(tmp_path)


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The folder of a study that made Table 4 on two GPUs, and ``said``, what it printed."""
    words = [word for word in TABLE_4 if word != "--cpu"]

    def make(folder):
        # Trainings that take a while, so that both GPUs are wanted at once
        said = Programs(folder).run(
            *words, "--cores", "4", CUDA_VISIBLE_DEVICES="3,5", STAND_IN_EPOCH="0.1"
        )
        (folder / "said").write_text(said)

    return made_once(tmp_path_factory, "whole-study", make)


@pytest.fixture
def done(whole, tmp_path):
    """Stand-ins in a folder of the test's own, where that study is done."""
    return continued(whole, tmp_path)
