"""A machine of the cluster is killed in the middle of ``vqapg extract-features --ray``."""

import threading
import time

from tests.support.ray_clusters import SMALL, draw_data, extraction, numbers_in
from vqapg.cli.main import main

IMAGES, PART = 16, 2


def test_killed_node_changes_no_feature(tmp_path, monkeypatch):
    import ray
    from ray.cluster_utils import Cluster

    monkeypatch.chdir(tmp_path)
    data, notes = draw_data(tmp_path, IMAGES), tmp_path / "notes.txt"
    notes.touch()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **SMALL})
    try:
        node = cluster.add_node(num_cpus=1, object_store_memory=SMALL["object_store_memory"])
        cluster.wait_for_nodes()
        killed = threading.Event()

        def kill():
            while len(numbers_in(notes)) < 3 * PART:
                time.sleep(0.02)
            cluster.remove_node(node, allow_graceful=False)
            killed.set()

        thread = threading.Thread(target=kill, daemon=True)
        thread.start()
        ray.init(address=cluster.address, log_to_driver=False)
        assert main(extraction(data, "slowly_noted", notes, "--ray")) == 0
        assert killed.is_set() and len([one for one in ray.nodes() if one["Alive"]]) == 1
    finally:
        ray.shutdown()
        cluster.shutdown()
    seen = numbers_in(notes)
    # A part that the killed machine was at work on is made again, and no other one.
    assert set(seen) == set(range(IMAGES)) and len(seen) <= IMAGES + PART
    made = (data / "features.h5").read_bytes()
    (data / "features.h5").unlink()
    assert main(extraction(data, "slowly_noted", notes)) == 0
    assert (data / "features.h5").read_bytes() == made
