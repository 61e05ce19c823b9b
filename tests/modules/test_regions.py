"""Means over an image's own regions, and regions that pairs of an image share."""

import pytest
import torch

from vqapg.modules.regions import (
    count_rows,
    dot,
    mean_region,
    scale,
    select_real,
    select_rows,
    share_regions,
    weighted_sum,
)


def test_the_mean_is_over_an_images_own_regions():
    regions = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [8.0, 0.0]], [[5.0, 7.0], [0, 0], [0, 0]]])
    real = torch.tensor([[True, True, True], [True, False, False]])
    assert mean_region(regions, real).tolist() == [[4.0, 2.0], [5.0, 7.0]]
    assert mean_region(regions[:1]).tolist() == [[4.0, 2.0]]


def test_rows_are_selected_only_where_there_is_padding():
    real = torch.tensor([[True, True], [True, False]])
    assert select_real(real, torch.tensor([1, 1])).tolist() == [[True, False]] * 2
    assert select_real(None, torch.tensor([1, 1])) is None


# Of eight pairs: more than the mean of one image, one of another, none of the third.
INDEX = torch.tensor([1, 0, 1, 1, 3, 1, 3, 1])


@pytest.fixture
def images():
    torch.manual_seed(2)
    return torch.randn(4, 5, 3)


def test_shared_regions_name_each_pairs_image(images):
    shared = share_regions(images, INDEX)
    assert count_rows(shared) == 8
    size = len(shared.pair) // len(shared.values)
    assert size == 2 and len(shared.pair) <= 16
    assert torch.equal(shared.values[shared.place // size], images[INDEX])
    assert torch.equal(shared.pair[shared.place], torch.arange(8))
    assert len(shared.place.unique()) == 8


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("rows", [None, torch.tensor([6, 0, 3])])
def test_shared_regions_are_worked_with_as_copies(images, scaled, rows):
    shared, copies = share_regions(images, INDEX), images[INDEX]
    if scaled:
        weights = torch.rand(8, 5)
        shared, copies = scale(shared, weights), weights.unsqueeze(2) * copies
        torch.testing.assert_close(scale(images[INDEX], weights), copies)
    if rows is not None:
        shared, copies = select_rows(shared, rows), copies[rows]
        torch.testing.assert_close(select_rows(images[INDEX], rows), images[INDEX][rows])
    queries, shares = torch.randn(len(copies), 2, 3), torch.rand(len(copies), 2, 5)
    for pair, own in enumerate(copies):
        for step in range(2):
            dots = [float(queries[pair, step] @ region) for region in own]
            assert dot(queries, shared)[pair, step].tolist() == pytest.approx(dots, abs=1e-5)
            total = sum(share * region for share, region in zip(shares[pair, step], own))
            torch.testing.assert_close(weighted_sum(shares, shared)[pair, step], total)
        torch.testing.assert_close(mean_region(shared)[pair], sum(own) / 5)


def test_an_image_for_each_pair_is_not_copied(images):
    shared = share_regions(images, torch.tensor([2, 0, 3, 1]))
    assert shared.values.data_ptr() == images.data_ptr()
    assert shared.place.tolist() == [2, 0, 3, 1]
