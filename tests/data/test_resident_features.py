import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vqapg.data import resident_features
from vqapg.data.resident_features import ResidentFeatures
from vqapg.errors import InputError


@pytest.fixture
def store():
    values = np.random.default_rng(0).normal(size=(5, 2, 3)).astype(np.float16)
    return SimpleNamespace(
        path="data/features.h5",
        shape=values.shape,
        rows={"a": 0},
        skipped=frozenset(),
        require=lambda images: None,
        read=lambda rows: values[rows],
        values=values,
    )


def test_row_numbers_become_the_stores_features(store, monkeypatch):
    monkeypatch.setattr(resident_features, "ROWS_AT_ONCE", 2)
    resident = ResidentFeatures(store)
    rows = torch.from_numpy(resident.read([4, 0, 4]))
    assert rows.tolist() == [4, 0, 4] and rows.dtype == torch.int64
    assert np.array_equal(resident.look_up(rows).numpy(), store.values[[4, 0, 4]])
    # A worker process gets no copy of them.
    store.require = store.read = None
    resident.require = None
    assert pickle.loads(pickle.dumps(resident)).table is None


def test_features_that_do_not_fit_the_device_are_an_error(store, monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10, 100))
    with pytest.raises(
        InputError, match="--features-on-device: data/features.h5 takes .* leave the flag out"
    ):
        ResidentFeatures(store)._bring(torch.device("cuda"))
