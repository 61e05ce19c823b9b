"""Small clusters of Ray for tests, on however busy a machine."""

import os

from tests.support.tiny_checkpoints import draw_pictures, save_checkpoint
from vqapg.cli.main import main

# Ray gives up early on a busy machine, and starts its workers at the lowest priority.
PATIENCE = {
    "RAY_worker_niceness": "0",
    "RAY_raylet_start_wait_time_s": "600",
    "RAY_worker_register_timeout_seconds": "600",
    "RAY_gcs_server_request_timeout_seconds": "600",
    "RAY_health_check_timeout_ms": "300000",
    "RAY_health_check_period_ms": "500",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
}
SMALL = {"object_store_memory": 80 * 2**20, "include_dashboard": False}
DRAWN = ["--num-samples", "2", "--sampling", "--temperature", "1.5", "--num-workers", "0"]
DRAWN += ["--weights", "none", "--batch-size", "4"]


def patient():
    """Before ray is imported: its C++ part reads the environment then."""
    os.environ.update(PATIENCE)


def draw_world(folder, dictionary, count):
    """model.pt, and *count* photos/."""
    draw_pictures(folder / "photos", count)
    save_checkpoint(folder / "model.pt", "vqapg_joint_variational", dictionary)


def sample(*arguments, output, images=("photos",)):
    """The exit status of ``vqapg sample``."""
    words = ["sample", "--checkpoint", "model.pt", *images, "--output", output, *DRAWN, *arguments]
    return main([str(word) for word in words])


def joined(folder):
    """The pairs of all parts, one part behind the other."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("part-*.jsonl")))


def parts_done(folder):
    return len(list(folder.glob("_vqapg/0*.json")))
