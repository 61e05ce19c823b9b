"""``vqapg sample --ray`` on a cluster of one machine: the pairs of the command without it."""

import io
import json
import tarfile

import pyarrow
import pyarrow.parquet
import pytest

from tests.support.ray_clusters import SMALL, draw_world, joined, sample
from tests.support.tiny_checkpoints import draw_picture
from vqapg.sampling import on_ray

NOTED = "tests.support.judges:Noted:noted.txt"


@pytest.fixture(scope="module", autouse=True)
def cluster():
    import ray

    ray.init(num_cpus=3, log_to_driver=False, **SMALL)
    yield
    ray.shutdown()


@pytest.fixture
def folder(tmp_path, monkeypatch, dictionary):
    monkeypatch.chdir(tmp_path)
    draw_world(tmp_path, dictionary, 5)
    return tmp_path


@pytest.fixture
def workers(monkeypatch):
    """workers(2) lets the next runs have two actors."""

    def use(count):
        monkeypatch.setattr(
            on_ray, "actor_needs", lambda ray, device: ("cpu", {"num_cpus": 1}, count)
        )

    return use


def test_any_number_of_workers_gives_the_pairs_of_no_ray(folder, workers, capsys):
    assert sample("--html", "whole.html", output="whole.jsonl") == 0
    whole = capsys.readouterr().out
    for count, size in ((1, 2), (2, 1), (3, 2)):
        workers(count)
        page = f"{count}.html"
        words = ["--part-size", size, "--html", page, "--ray"]
        assert sample(*words, output=f"{count}.jsonl") == 0
        assert joined(folder / f"{count}.jsonl") == (folder / "whole.jsonl").read_bytes()
        assert (folder / page).read_bytes() == (folder / "whole.html").read_bytes()
        out = capsys.readouterr().out
        assert out == whole.replace("whole.", f"{count}.")
    assert len(list((folder / "1.jsonl").glob("part-*"))) == 3


def test_shards_tables_and_folders_give_one_parquet_table(folder, workers, capsys):
    with tarfile.open("s.tar", "w") as shard:
        for name in ("a.png", "b.txt", "c.png"):
            content = (folder / "photos/3.png").read_bytes() if "png" in name else b"text"
            if name == "c.png":
                content = (folder / "photos/4.png").read_bytes()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            shard.addfile(member, io.BytesIO(content))
    pictures = [
        {"bytes": (folder / f"photos/{number}.png").read_bytes(), "path": None}
        for number in range(3)
    ]
    table = pyarrow.table({"id": ["x", "y", "z"], "image": pictures})
    pyarrow.parquet.write_table(table, "t.parquet", row_group_size=2)
    inputs = [
        "photos/0.png",
        f"file://{folder}/s.tar",
        "t.parquet",
        f"file://{folder}/photos/1.png",
    ]
    assert sample(output="whole.parquet", images=inputs) == 0
    whole = capsys.readouterr().out
    workers(2)
    output = f"file://{folder}/parts.parquet"
    assert sample("--part-size", 3, "--ray", output=output, images=inputs) == 0
    assert capsys.readouterr().out == whole.replace("whole.parquet", output)
    assert "passed over: 1 file of no format that vqapg reads" in whole
    assert len(list((folder / "parts.parquet").glob("part-*.parquet"))) == 4
    rows = pyarrow.parquet.read_table("parts.parquet").to_pylist()
    assert rows == pyarrow.parquet.read_table("whole.parquet").to_pylist()
    # The same photographs have the same pairs, wherever they lie.
    drawn = {}
    for row in rows:
        name = row["image"].rpartition("/")[2]
        drawn.setdefault(name, []).append((row["question"], row["answer"], row["score"]))
    assert list(drawn) == ["0.png", "a.png", "c.png", "x", "y", "z", "1.png"]
    assert drawn["0.png"] == drawn["x"] and drawn["1.png"] == drawn["y"]


def test_bad_image_stops_and_the_rest_follows(folder, workers, capsys):
    workers(1)
    good = (folder / "photos/2.png").read_bytes()
    (folder / "photos/2.png").write_bytes(b"no image")
    words = ["--judge", NOTED, "--part-size", 2, "--ray"]
    assert sample(*words, output="p.jsonl") == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert line.startswith("vqapg sample: error: photos/2.png: cannot be read as an image")
    assert "--skip-bad-images" in line
    # Parts 0 and 2 may be done; the bad image is in part 1, of photographs 2 and 3.
    done = [
        number for number in (0, 1, 2) if (folder / f"p.jsonl/_vqapg/{number:05}.json").exists()
    ]
    assert 1 not in done
    (folder / "photos/2.png").write_bytes(good)
    (folder / "noted.txt").write_text("")
    assert sample(*words, output="p.jsonl") == 0
    photos = {0: (0, 1), 1: (2, 3), 2: (4,)}
    left = [name for number in photos if number not in done for name in photos[number]]
    judged = (folder / "noted.txt").read_text().splitlines()
    assert sorted(judged) == [f"photos/{name}.png" for name in left]
    assert sample("--judge", NOTED, output="whole.jsonl") == 0
    assert joined(folder / "p.jsonl") == (folder / "whole.jsonl").read_bytes()
    assert sample(*words, output="p.jsonl") == 2
    assert "is there already; give another name, or --overwrite" in capsys.readouterr().err


def test_counts_of_parts_are_summed(folder, workers, capsys):
    workers(2)
    (folder / "photos/1.png").write_bytes(b"no image")
    (folder / "photos/4.png").write_bytes(b"no image")
    draw_picture(folder / "photos/5.png", 5)
    words = ["--judge", NOTED, "--keep", 1, "--skip-bad-images"]
    assert sample(*words, output="whole.jsonl") == 0
    whole = capsys.readouterr()
    assert sample(*words, "--part-size", 1, "--ray", output="p.jsonl") == 0
    parts = capsys.readouterr()
    assert parts.out == whole.out.replace("whole.jsonl", "p.jsonl")
    assert "2 images left out that cannot be read" in parts.out

    def told(err):
        return [line for line in err.splitlines() if line.startswith(("left out", "note"))]

    assert told(parts.err) == told(whole.err) and len(told(parts.err)) == 3
    counts = json.loads((folder / "p.jsonl/_vqapg/counts.json").read_text())
    assert (counts["images"], counts["pairs"], len(counts["skipped"])) == (4, 4, 2)
