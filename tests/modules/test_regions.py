"""Means over an image's own regions."""

import torch

from vqapg.modules.regions import mean_region, select_real


def test_the_mean_is_over_an_images_own_regions():
    regions = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [8.0, 0.0]], [[5.0, 7.0], [0, 0], [0, 0]]])
    real = torch.tensor([[True, True, True], [True, False, False]])
    assert mean_region(regions, real).tolist() == [[4.0, 2.0], [5.0, 7.0]]
    assert mean_region(regions[:1]).tolist() == [[4.0, 2.0]]


def test_rows_are_selected_only_where_there_is_padding():
    real = torch.tensor([[True, True], [True, False]])
    assert select_real(real, torch.tensor([1, 1])).tolist() == [[True, False]] * 2
    assert select_real(None, torch.tensor([1, 1])) is None
