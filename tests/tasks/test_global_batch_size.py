"""--global-batch-size: an update has so many pairs, over however many processes."""

import itertools
import logging

import pytest
from fairseq.tasks import FairseqTask

from tests.support.world import make_data
from tests.support.xdist import made_once
from vqapg.errors import InputError
from vqapg.tasks.vqapg import GenerationConfig, GenerationTask
from vqapg.tasks.vqapg_consistency import ConsistencyConfig, ConsistencyTask


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return made_once(tmp_path_factory, "global_batch_size", make_data) / "data"


def task_of(data, kind="vqapg", update_freq=(1,), **options):
    config, task = {
        "vqapg": (GenerationConfig, GenerationTask),
        "vqapg_consistency": (ConsistencyConfig, ConsistencyTask),
    }[kind]
    cfg = config(data=str(data), seed=1, update_freq=list(update_freq), **options)
    task = task.setup_task(cfg)
    for split in ("train", "valid"):
        task.load_dataset(split)
    return task


def updates(task, split, processes, largest=100, epoch=1, update_freq=1):
    """Which pairs each update has, by what fairseq's processes would read."""
    of_process = []
    for process in range(processes):
        iterator = task.get_batch_iterator(
            task.dataset(split),
            max_sentences=largest,
            num_shards=processes,
            shard_id=process,
            epoch=epoch,
        ).next_epoch_itr()
        # A process without a last batch gets an empty one.
        of_process.append([batch["id"].tolist() if batch else [] for batch in iterator])
    steps = [flat(step) for step in zip(*of_process, strict=True)]
    return [flat(steps[i : i + update_freq]) for i in range(0, len(steps), update_freq)]


def flat(lists):
    return list(itertools.chain.from_iterable(lists))


@pytest.mark.parametrize("kind", ["vqapg", "vqapg_consistency"])
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_update_has_so_many_pairs_over_all_processes(data, kind, processes):
    task = task_of(data, kind, global_batch_size=6)
    sizes = [len(pairs) for pairs in updates(task, "train", processes)]
    # 27 pairs: four updates of 6, and one of the 3 that are left.
    assert sorted(sizes) == [3, 6, 6, 6, 6]
    assert sorted(flat(updates(task, "train", processes))) == list(range(27))
    # Validation goes by --batch-size-valid.
    assert sorted(map(len, updates(task, "valid", processes, largest=9))) == [9]


def test_processes_share_an_uneven_update_rounded_up(data):
    task = task_of(data, global_batch_size=7)
    assert max(map(len, updates(task, "train", 3))) == 9
    assert max(map(len, updates(task, "train", 2))) == 8
    assert max(map(len, updates(task_of(data, global_batch_size=2), "train", 3))) == 3


def test_gradient_accumulation_shares_the_update_too(data):
    task = task_of(data, global_batch_size=12, update_freq=(1, 2))
    assert max(map(len, updates(task, "train", 2, epoch=1))) == 12
    # The last of --update-freq holds on.
    for epoch in (2, 3):
        found = updates(task, "train", 2, epoch=epoch, update_freq=2)
        assert sorted(map(len, found)) == [3, 12, 12]


def test_batch_size_is_the_most_of_one_process(data, caplog):
    task = task_of(data, global_batch_size=12)
    with caplog.at_level(logging.WARNING):
        for epoch in (1, 2):
            assert max(map(len, updates(task, "train", 2, largest=4, epoch=epoch))) == 8
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("vqapg")]
    assert lines == [
        "--batch-size 4 makes an update of 8 pairs, not of --global-batch-size 12; give "
        "--batch-size 6, or a larger --update-freq"
    ]


def test_without_it_each_process_takes_the_batch_size(data):
    assert max(map(len, updates(task_of(data), "train", 3, largest=5))) == 15
    with pytest.raises(InputError, match="--global-batch-size must be at least 0, not -1"):
        task_of(data, global_batch_size=-1)


def test_only_token_limit_leaves_the_share(data, monkeypatch):
    made = []
    monkeypatch.setattr(FairseqTask, "get_batch_iterator", lambda *a, **o: made.append(o))
    task = task_of(data, global_batch_size=6)
    task.get_batch_iterator(task.dataset("train"), max_tokens=1000, num_shards=2)
    assert made[-1]["max_sentences"] == 3 and made[-1]["max_tokens"] == 1000
