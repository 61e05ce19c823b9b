"""A machine of the cluster is killed in the middle of ``vqapg sample --ray``."""

import threading
import time

from tests.support.ray_clusters import SMALL, draw_world, joined, parts_done, sample

NOTED = "tests.support.judges:{}:{}"
IMAGES = 12


def test_killed_node_changes_no_pair(tmp_path, monkeypatch, dictionary):
    import ray
    from ray.cluster_utils import Cluster

    monkeypatch.chdir(tmp_path)
    draw_world(tmp_path, dictionary, IMAGES)
    judge = ["--judge", NOTED.format("SlowlyNoted", tmp_path / "noted.txt")]
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **SMALL})
    try:
        node = cluster.add_node(num_cpus=1, object_store_memory=SMALL["object_store_memory"])
        cluster.wait_for_nodes()
        killed = threading.Event()

        def kill():
            while parts_done(tmp_path / "p.jsonl") < 3:
                time.sleep(0.02)
            cluster.remove_node(node, allow_graceful=False)
            killed.set()

        thread = threading.Thread(target=kill, daemon=True)
        thread.start()
        ray.init(address=cluster.address, log_to_driver=False)
        assert sample(*judge, "--part-size", 1, "--ray", output="p.jsonl") == 0
        assert killed.is_set() and len([one for one in ray.nodes() if one["Alive"]]) == 1
    finally:
        ray.shutdown()
        cluster.shutdown()
    judged = (tmp_path / "noted.txt").read_text().splitlines()
    # A part that the killed machine was at work on is made again, and no other one.
    assert set(judged) == {f"photos/{number}.png" for number in range(IMAGES)}
    assert IMAGES <= len(judged) <= IMAGES + 1
    whole = ["--judge", NOTED.format("Noted", tmp_path / "whole.txt")]
    assert sample(*whole, output="whole.jsonl") == 0
    assert joined(tmp_path / "p.jsonl") == (tmp_path / "whole.jsonl").read_bytes()
