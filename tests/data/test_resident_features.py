import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.support.handwritten_data import write_objects
from vqapg.data import resident_features
from vqapg.data.feature_store import FeatureStore
from vqapg.data.image_inputs import image_inputs
from vqapg.data.resident_features import ResidentFeatures
from vqapg.errors import InputError


@pytest.fixture
def store():
    values = np.random.default_rng(0).normal(size=(5, 2, 3)).astype(np.float16)
    return SimpleNamespace(
        path="data/features.h5",
        shape=values.shape,
        region_counts=None,
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


def test_images_of_different_regions_are_as_wide_as_the_batch(tmp_path, monkeypatch):
    monkeypatch.setattr(resident_features, "ROWS_AT_ONCE", 1)
    store = FeatureStore(write_objects(tmp_path))  # of 3 and 6 regions
    resident = ResidentFeatures(store)
    for rows in ([0], [1], [1, 0]):
        inputs, expected = image_inputs(resident, rows), image_inputs(store, rows)
        assert inputs.keys() == expected.keys()
        found = resident.look_up(inputs["features"])
        assert found.shape == expected["features"].shape
        real = expected.get("regions_real", torch.ones(found.shape[:2], dtype=torch.bool))
        assert torch.equal(found[real], expected["features"][real])
    assert expected["regions_real"].sum(dim=1).tolist() == [6, 3]
    assert "regions_real" not in image_inputs(store, [0, 0])


def test_features_that_do_not_fit_the_device_are_an_error(store, monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10, 100))
    with pytest.raises(
        InputError, match="--features-on-device: data/features.h5 takes .* leave the flag out"
    ):
        ResidentFeatures(store)._bring(torch.device("cuda"))
