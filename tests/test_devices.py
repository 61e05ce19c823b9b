"""The device that is asked for is the one that is used, or one line says why not."""

import pytest
import torch

from vqapg.devices import chosen_device
from vqapg.errors import InputError


@pytest.mark.parametrize(("seen", "device"), [(True, "cuda"), (False, "cpu")])
def test_auto_is_a_gpu_if_torch_sees_one(monkeypatch, seen, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: seen)
    assert chosen_device("auto") == device
    assert chosen_device("cpu") == "cpu"


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("gpu", "--device gpu: torch knows no such device; give auto, cpu or cuda"),
        ("cuda:1", "--device cuda:1: torch sees no GPU here; use --device cpu"),
    ],
)
def test_device_that_is_not_there_is_refused(monkeypatch, device, message):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError) as error:
        chosen_device(device)
    assert str(error.value) == message
