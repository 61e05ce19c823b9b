import platform
import subprocess
import sys

import pytest

from vqapg.errors import InputError

PROBE = """
import sys, torch
from vqapg.memory import keep_freed_memory

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20

if sys.argv[1] == "kept":
    keep_freed_memory()
torch.ones(8)
before = resident()
for _ in range(3):
    large = torch.ones(2**26 // 4)
    larger = torch.ones(2**27 // 4)
    del large, larger
print(resident() - before)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or sys.platform != "linux", reason="of glibc's malloc"
)
@pytest.mark.parametrize("how, least, most", [("kept", 190, 600), ("given back", 0, 20)])
def test_memory_of_192_mib_of_tensors_is_kept(how, least, most):
    run = subprocess.run(
        [sys.executable, "-c", PROBE, how], check=True, stdout=subprocess.PIPE, text=True
    )
    assert least <= float(run.stdout) <= most


@pytest.mark.parametrize("choice, calls", [(None, 1), ("kept", 1), ("given-back", 0)])
def test_freed_memory_is_kept_unless_the_task_is_told(choice, calls, tmp_path, monkeypatch):
    from vqapg.tasks.vqapg import GenerationConfig, GenerationTask

    called = []
    monkeypatch.setattr("vqapg.tasks.data_task.keep_freed_memory", lambda: called.append(1))
    options = {} if choice is None else {"freed_memory": choice}
    with pytest.raises(InputError):
        GenerationTask(GenerationConfig(data=str(tmp_path / "none"), **options))
    assert len(called) == calls
