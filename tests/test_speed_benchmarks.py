"""The benchmarks of speed, at tiny sizes on a CPU: that they run, and what they count."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.speed import compare

REPOSITORY = Path(__file__).parent.parent


def run(*command: object) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [str(word) for word in command],
        env=os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_ratios_are_of_neighbours_and_results_compared():
    compared = compare(
        {"seconds": [4.0, 3.0, 9.0], "result": [1.0, -2.0]},
        {"seconds": [2.0, 2.0, 3.0], "result": [1.5, -2.25]},
    )
    assert compared == {"ratios": [2.0, 1.5, 3.0], "ratio": 2.0, "greatest_difference": 0.5}


@pytest.fixture
def other_checkout(tmp_path):
    """A checkout that differs from this one: its beam search returns a probability of 1/e more."""
    other = tmp_path / "other"
    for path in (REPOSITORY / "vqapg").rglob("*"):
        if path.suffix == ".pyc" or path.is_dir():
            continue
        copy = other / path.relative_to(REPOSITORY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    search = other / "vqapg/generation/token_rules.py"
    with open(search, "a") as file:
        file.write(
            "\n\ndef with_probability(found):\n"
            "    return [[text._replace(total=text.total + 1) for text in row] for row in found]\n"
        )
    return other


def test_speed_is_compared_with_another_checkouts_code(other_checkout, tmp_path):
    said = run(
        sys.executable,
        "benchmarks/speed.py",
        *("--work", "beam1", "--widths", "tiny", "--repeats", 2),
        *("--against", other_checkout, "--output", tmp_path / "speed.json"),
    )
    (work,) = json.loads((tmp_path / "speed.json").read_text())["work"]
    assert len(work["seconds"]) == len(work["before"]["seconds"]) == 2
    assert work["compared"]["greatest_difference"] == pytest.approx(1, abs=1e-5)
    assert work["gflops"] > 0 and "results differ by 1.0e+00" in said


def test_dry_run_of_the_gpu_benchmark_measures_every_work(tmp_path):
    output = tmp_path / "gpu.json"
    said = run(
        *("bash", "benchmarks/gpu.sh", "--dry-run", "--precision", "fp32", "bf16"),
        *("--repeats", 1, "--output", output),
    )
    works = json.loads(output.read_text())["works"]
    assert list(works) == [
        f"{work} {precision}"
        for group in (("train shuffled", "train grouped"), ("beam10",), ("beam1",), ("score",))
        for precision in ("fp32", "bf16")
        for work in group
    ] + ["extract fp32", "extract bf16"]
    assert not [name for name, result in works.items() if "skipped" in result]
    assert all(0 < result["of_peak"] < 1 for result in works.values())
    assert "70,600 pairs, train grouped bf16: not measured" in said


def test_gpu_benchmark_begins_nothing_after_its_time(tmp_path):
    command = ("bash", "benchmarks/gpu.sh", "--dry-run", "--only", "score", "--seconds", "-1")
    with pytest.raises(AssertionError):
        run(*command, "--precision", "fp32", "--output", tmp_path / "gpu.json")
    works = json.loads((tmp_path / "gpu.json").read_text())["works"]
    assert works == {"score fp32": {"skipped": "no time left"}}
