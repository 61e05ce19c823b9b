"""``vqapg sample`` from the command line, with untrained checkpoints and pictures drawn here."""

import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time

import numpy as np
import pytest
from PIL import Image

from tests.support.tiny_checkpoints import draw_picture, draw_pictures, save_checkpoint
from vqapg.cli.main import main
from vqapg.denormals import are_flushed
from vqapg.errors import RunError
from vqapg.files import sha256
from vqapg.sampling import many_devices
from vqapg.sampling.journal import Journal
from vqapg.sampling.sampler import PairSampler
from vqapg.targets import write_json

DRAWN = [
    "--num-samples",
    3,
    "--sampling",
    "--temperature",
    1.5,
    "--num-workers",
    0,
    "--weights",
    "none",
]


@pytest.fixture
def folder(tmp_path, monkeypatch, dictionary):
    """Where the command runs: photos/, model.pt, evaluator.pt."""
    monkeypatch.chdir(tmp_path)
    draw_pictures(tmp_path / "photos", 5)
    save_checkpoint("model.pt", "vqapg_joint_variational", dictionary)
    save_checkpoint("evaluator.pt", "vqapg_consistency", dictionary)
    return tmp_path


def sample(*arguments, checkpoint="model.pt", images=("photos",), output="pairs.jsonl"):
    words = ["sample", "--checkpoint", checkpoint, *images, "--output", output, *DRAWN, *arguments]
    return main([str(word) for word in words])


def lines(name="pairs.jsonl"):
    with open(name, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def left_over(folder):
    return sorted(path.name for path in folder.iterdir() if "partial" in path.name)


def test_sample_computes_without_denormals_from_its_start(folder, monkeypatch):
    seen, load = [], many_devices.load
    monkeypatch.setattr(
        many_devices, "load", lambda *a, **b: seen.append(are_flushed()) or load(*a, **b)
    )
    assert sample() == 0
    assert seen == [True]


def test_photos_go_in_pairs_and_page_come_out(folder, capsys):
    assert sample("--evaluator", "evaluator.pt", "--html", "gallery.html") == 0
    out, err = capsys.readouterr()
    records = lines()
    assert out == f"pairs.jsonl, gallery.html: {len(records)} pairs of 5 images\n"
    # A slow machine shows a bar too.
    told = [
        line for line in err.replace("\r", "\n").splitlines() if not line.startswith("sampling")
    ]
    assert [line[:5] for line in told if line.strip()] == ["note:"]
    assert list(dict.fromkeys(record["image"] for record in records)) == [
        f"photos/{number}.png" for number in range(5)
    ]
    assert list(records[0]) == [
        "image",
        "question",
        "answer",
        "score",
        "consistency",
        "seed",
        "draw",
        "model",
    ]
    assert records[0]["seed"] == 1 and records[0]["model"].startswith("vqapg_joint_variational:")
    for image in {record["image"] for record in records}:
        own = [record for record in records if record["image"] == image]
        assert len({(record["question"], record["answer"]) for record in own}) == len(own) <= 3
        assert [record["consistency"] for record in own] == sorted(
            (r["consistency"] for r in own), reverse=True
        )
    assert "photos/4.png" in (folder / "gallery.html").read_text()
    assert left_over(folder) == []


@pytest.fixture
def whole(folder):
    """What a run left alone writes."""
    assert sample(output="whole.jsonl") == 0
    return (folder / "whole.jsonl").read_bytes()


def test_batch_size_workers_and_shards_change_no_pair(folder, whole):
    for flags in (["--batch-size", 1], ["--batch-size", 7, "--num-workers", 2]):
        assert sample(*flags, "--overwrite") == 0
        assert (folder / "pairs.jsonl").read_bytes() == whole
    parts = b""
    for number in (1, 2, 3):
        assert sample("--shard", f"{number}/3", output=f"{number}.jsonl") == 0
        parts += (folder / f"{number}.jsonl").read_bytes()
    assert parts == whole


def test_a_photo_gives_the_same_pairs_in_a_tar_under_another_name_and_among_others(folder, whole):
    with tarfile.open("s.tar", "w") as shard:
        content = (folder / "photos/3.png").read_bytes()
        member = tarfile.TarInfo("key.png")
        member.size = len(content)
        shard.addfile(member, io.BytesIO(content))
    assert sample(images=["s.tar", "photos/1.png"]) == 0
    told = [
        (record["question"], record["answer"], record["score"], record["draw"])
        for record in lines("whole.jsonl")
        if record["image"] == "photos/3.png"
    ]
    assert told == [
        (record["question"], record["answer"], record["score"], record["draw"])
        for record in lines()
        if record["image"] == "s.tar/key.png"
    ]


@pytest.mark.parametrize("output", ["pairs.csv", "pairs.json", "pairs"])
def test_other_formats(folder, output, capsys):
    assert sample(output=output) == 0
    capsys.readouterr()
    if output == "pairs.json":
        questions = json.loads((folder / "pairs_questions.json").read_text())["questions"]
        assert {question["image_id"] for question in questions} == {1, 2, 3, 4, 5}
        assert sample("--shard", "2/2", output="part.json") == 0
        part = json.loads((folder / "part_questions.json").read_text())["questions"]
        # The numbers of a part are those of the whole, so parts can be joined.
        assert part == questions[-len(part) :]
    elif output == "pairs":
        assert len(list((folder / "pairs/train").glob("*.png"))) == 5
    else:
        assert (
            (folder / output)
            .read_text()
            .startswith("image,question,answer,score,seed,draw,model\n")
        )


@pytest.mark.parametrize(
    ("choosing", "chosen"), [([], False), (["--keep", 1], True), (["--min-consistency", 0], True)]
)
def test_each_line_names_the_judge_that_chose_it(folder, choosing, chosen, capsys):
    evaluator = ["--evaluator", "evaluator.pt"]
    assert sample(*evaluator, *choosing) == 0
    name = f"evaluator:{sha256('evaluator.pt')[:12]}"
    assert {record.get("chosen_by") for record in lines()} == {name if chosen else None}
    if chosen:
        assert list(lines()[0])[4:6] == ["consistency", "chosen_by"]
    # What vqapg wrote it replaces.
    assert sample(*evaluator, *choosing, "--overwrite") == 0
    capsys.readouterr()
    words = ["--images", "photos", "--weights", "none", "--pairs", "pairs.jsonl", *evaluator]
    for pair in lines():  # evaluate knows a picture by its path in the folder
        assert pair["image"].startswith("photos/")
    moved = [json.dumps({**pair, "image": pair["image"][7:]}) for pair in lines()]
    (folder / "pairs.jsonl").write_text("\n".join(moved))
    assert main(["evaluate", *words, "--output", "metrics.json"]) == 0
    assert ("the same judge chose these pairs" in capsys.readouterr().out) == chosen
    assert main(["score", *words, "--output", "scores.jsonl"]) == 0
    assert ("the same judge chose these pairs" in capsys.readouterr().err) == chosen


def test_choosing_and_completing(folder, dictionary, capsys):
    assert sample("--evaluator", "evaluator.pt", "--keep", 1, "--min-consistency", 0) == 0
    assert [record["image"] for record in lines()] == [
        f"photos/{number}.png" for number in range(5)
    ]
    assert sample("--evaluator", "evaluator.pt", "--min-consistency", 1, "--overwrite") == 0
    out = capsys.readouterr().out
    assert lines() == []
    names = ", ".join(f"photos/{number}.png" for number in range(5))
    assert re.search(
        r"0 pairs of 5 images; --min-consistency 1 left out (\d+) of \1 distinct pairs; "
        rf"5 images have none: {names}\n",
        out,
    )
    save_checkpoint("vqa.pt", "vqapg_vqa", dictionary)
    assert (
        sample("--question", "What color is the zebra?", checkpoint="vqa.pt", output="vqa.jsonl")
        == 0
    )
    assert {record["question"] for record in lines("vqa.jsonl")} == {"what color is the zebra?"}
    assert "not among the words the model was trained with: zebra" in capsys.readouterr().err


def test_one_is_singular(folder, capsys):
    assert sample("--evaluator", "evaluator.pt", "--keep", 1, images=["photos/0.png"]) == 0
    assert (
        capsys.readouterr().out
        == "pairs.jsonl: 1 pair of 1 image; --keep 1 left out 2 of 3 distinct pairs\n"
    )
    (folder / "bad.png").write_bytes(b"no image")
    words = [
        "--evaluator",
        "evaluator.pt",
        "--min-consistency",
        1,
        "--skip-bad-images",
        "--overwrite",
    ]
    assert sample(*words, images=["photos/0.png", "bad.png"]) == 0
    assert capsys.readouterr().out == (
        "pairs.jsonl: 0 pairs of 1 image; --min-consistency 1 left out 3 of 3 distinct pairs; "
        "1 image has none: photos/0.png; 1 image left out that cannot be read\n"
    )


@pytest.mark.parametrize("ray", [[], ["--ray"]])
def test_pairs_beside_a_page_are_not_called_output(folder, ray, capsys):
    words = [
        "sample",
        "--checkpoint",
        "model.pt",
        "photos",
        "--html",
        "g.html",
        "--weights",
        "none",
    ]
    told = "vqapg sample: error: g.jsonl: "
    (folder / "g.jsonl").write_text("mine")
    assert main([*words, *ray]) == 2
    assert capsys.readouterr().err.startswith(told)
    (folder / "g.jsonl").unlink()
    if not ray:
        assert sample(output="g.jsonl") == 0
        capsys.readouterr()
        assert main(words) == 2
        assert capsys.readouterr().err == (
            f"{told}is there already; give another name, or --overwrite to replace it "
            "(--html g.html has its pairs there)\n"
        )


@pytest.mark.parametrize(
    ("choosing", "about"),
    [
        ([], {}),
        (["--min-consistency", 0.25], {"min-consistency": 0.25}),
        (
            ["--min-consistency", 0, "--keep", 2],
            {"min-consistency": 0, "keep": 2, "diversity": 0.5},
        ),
    ],
)
def test_the_page_tells_how_pairs_were_chosen(folder, choosing, about):
    assert sample("--evaluator", "evaluator.pt", "--html", "gallery.html", *choosing) == 0
    data = json.loads(
        re.search(r'id="data">(.*?)</script>', (folder / "gallery.html").read_text(), re.DOTALL)[1]
    )
    assert data["judged"] and data["min_consistency"] == about.get("min-consistency")
    told = dict(data["about"])
    assert told.pop("model").startswith("model.pt (vqapg_joint_variational:")
    assert told.pop("judge").startswith("has not been checked, so nobody knows")
    assert told == {"seed": 1, "draws of each image": 3, **about}


def test_the_verdict_on_the_judge_is_told(folder, capsys):
    assert sample("--evaluator", "evaluator.pt") == 0
    assert "note: the judge of consistency has not been checked" in capsys.readouterr().err
    verdict = {"text": "rejects 37% of wrong pairs: do not rely on P", "rely": False}
    judge = {"judge": "evaluator", "sha256": sha256("evaluator.pt")}
    write_json(folder / "evaluator.pt.verdict.json", verdict | {"judge": judge})
    assert sample("--evaluator", "evaluator.pt", "--overwrite") == 0
    assert (
        "note: the judge of consistency cannot tell right from wrong pairs well: it rejects 37% of "
        "wrong pairs\n"
    ) in capsys.readouterr().err
    assert sample("--overwrite") == 0
    assert "judge" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rejects", "choosing", "warned"),
    [
        ({"value": 0.36, "n": 400}, ["--min-consistency", 0], True),
        ({"value": 0.36, "n": 400}, ["--keep", 1], True),
        ({"value": 0.36, "n": 400}, [], False),
        ({"value": 0.5, "n": 400}, ["--keep", 1], False),
        ({"value": 0.36, "n": 40}, ["--keep", 1], False),
        ("damaged", ["--keep", 1], False),
    ],
)
def test_choosing_by_a_weak_judge_is_warned_of(folder, capsys, rejects, choosing, warned):
    verdict = {"text": "rejects 36% of wrong pairs: do not rely on P", "rely": False}
    judge = {"judge": "evaluator", "sha256": sha256("evaluator.pt")}
    content = verdict | {"judge": judge, "rejects_wrong": rejects}
    write_json(folder / "evaluator.pt.verdict.json", content)
    words = ["--evaluator", "evaluator.pt", "--html", "gallery.html", *choosing]
    assert sample(*words, images=["photos/0.png"]) == 0
    warning = f"the judge rejects only 36% of wrong pairs, so {choosing[0] if choosing else ''}"
    page = (folder / "gallery.html").read_text()
    assert [warning in text for text in (capsys.readouterr().err, page)] == [warned] * 2


def test_a_judge_of_ones_own_looks_at_the_pictures(folder):
    judge = ["--judge", "tests.support.judges:Brightness"]
    assert sample(*judge, "--html", "gallery.html") == 0
    scores = {}
    for line in (folder / "pairs.jsonl").read_text().splitlines():
        record = json.loads(line)
        scores.setdefault(record["image"], set()).add(record["consistency"])
    for image, found in scores.items():
        with Image.open(folder / image) as picture:
            red = np.asarray(picture.convert("RGB"))[..., 0].mean() / 255
        assert found == {round(red, 4)}
    assert len(scores) == 5 and '"judged":true' in (folder / "gallery.html").read_text()


def test_what_the_judge_cannot_tell_is_null_in_every_row(folder):
    class Silent:
        name, identity = "silent", {}

        def score(self, triples):
            return [float("nan")] * len(triples)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.support.judges.Silent", lambda *given: Silent(), raising=False)
        judge = ["--judge", "tests.support.judges:Silent"]
        assert sample(*judge, "--html", "gallery.html") == 0
        lines = (folder / "pairs.jsonl").read_text().splitlines()
        assert lines and all(json.loads(line)["consistency"] is None for line in lines)
        # Its own output is known again.
        assert sample(*judge, "--overwrite", "--min-consistency", 0) == 0
    assert (folder / "pairs.jsonl").read_text() == ""


def test_a_baseline_draws_once_and_says_so(folder, dictionary, capsys):
    save_checkpoint("joint.pt", "vqapg_joint", dictionary)
    words = [
        "sample",
        "--checkpoint",
        "joint.pt",
        "photos",
        "--output",
        "b.jsonl",
        "--beam",
        "2",
        "--weights",
        "none",
    ]
    assert main(words) == 0
    assert (
        len(lines("b.jsonl")) == 5
        and "so one draw an image; add --sampling" in capsys.readouterr().err
    )


# --- Stopped and gone on with
# --------------------------------------------------------------------------------


def test_a_bad_image_stops_what_was_finished_is_kept_and_the_rest_follows(folder, whole, capsys):
    good = (folder / "photos/2.png").read_bytes()
    (folder / "photos/2.png").write_bytes(good[:70])
    assert sample("--batch-size", 3) == 2
    err = capsys.readouterr().err
    (line,) = [line for line in err.splitlines() if "error" in line]
    assert (
        line.startswith("vqapg sample: error: photos/2.png: cannot be read as an image")
        and "--skip-bad-images" in line
    )
    assert not (folder / "pairs.jsonl").exists() and left_over(folder) == ["pairs.jsonl.partial"]
    (folder / "photos/2.png").write_bytes(good)
    # Two images are done: the third is the bad one.
    assert (folder / "pairs.jsonl.partial").read_bytes().count(b"\n") == 3
    assert sample() == 0
    assert (folder / "pairs.jsonl").read_bytes() == whole and left_over(folder) == []


def test_images_may_be_added_removed_and_changed_between_a_stop_and_the_rest(folder, monkeypatch):
    (folder / "photos/3.png").write_bytes(b"no image")
    assert sample("--batch-size", 3) == 2
    os.unlink(folder / "photos/3.png")
    os.unlink(folder / "photos/0.png")
    draw_picture(folder / "photos/1.png", 11)
    draw_picture(folder / "photos/00.png", 12)
    original, drawn = PairSampler.sample_batch, []

    def counting(sampler, features, numbers, *rest):
        drawn.extend(numbers)
        return original(sampler, features, numbers, *rest)

    monkeypatch.setattr(PairSampler, "sample_batch", counting)
    assert sample() == 0 and len(drawn) == 3 and left_over(folder) == []  # 00, 1 and 4; 2 was done
    images = dict.fromkeys(record["image"] for record in lines())
    assert list(images) == [f"photos/{name}.png" for name in ("00", 1, 2, 4)]
    assert sample(output="fresh.jsonl") == 0
    assert (folder / "pairs.jsonl").read_bytes() == (folder / "fresh.jsonl").read_bytes()


def test_a_run_that_fails_before_anything_is_drawn_blocks_no_other(folder, capsys):
    (folder / "photos/0.png").write_bytes(b"no image")
    assert sample() == 2 and left_over(folder) == []
    # As a killed one leaves it
    (folder / "pairs.jsonl.partial").write_text('{"journal": "vqapg sample 2"}\n')
    draw_picture(folder / "photos/0.png", 0)
    assert sample("--seed", 2) == 0 and left_over(folder) == []
    # But what is finished is not replaced unasked.
    (folder / "pairs.jsonl.partial").write_text('{"journal": "vqapg sample 2"}\n')
    assert sample() == 2 and "pairs.jsonl: is there already" in capsys.readouterr().err


def test_bad_images_can_be_left_out_and_are_counted(folder, whole, capsys):
    (folder / "photos/2.png").write_bytes(b"no image")
    (folder / "photos/4.png").unlink()
    os.symlink("nowhere", folder / "photos/4.png")
    assert sample("--skip-bad-images", "--html", "gallery.html") == 0
    out, err = capsys.readouterr()
    assert "2 images left out that cannot be read" in out
    assert (
        "left out: photos/2.png: cannot be read as an image" in err
        and "left out: photos/4.png: cannot be read" in err
    )
    kept = [
        line
        for line in whole.splitlines()
        if not any(name in line for name in (b"/2.png", b"/4.png"))
    ]
    assert (folder / "pairs.jsonl").read_bytes().splitlines() == kept


def test_a_full_disk_is_a_failed_run_that_can_be_gone_on_with(folder, whole, monkeypatch, capsys):
    add, count = Journal.add, 0

    def full(journal, entry):
        nonlocal count
        count += 1
        if count == 3:
            journal._file.write(b'{"image": "cut')
            raise RunError("pairs.jsonl.partial: cannot be written")
        add(journal, entry)

    monkeypatch.setattr(Journal, "add", full)
    assert sample() == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "failed" in line]
    assert line.startswith("vqapg sample: failed: pairs.jsonl.partial: cannot be written")
    assert "2 of 5 images are done and kept" in line
    monkeypatch.setattr(Journal, "add", add)
    assert sample() == 0 and (folder / "pairs.jsonl").read_bytes() == whole


def test_a_disk_that_is_full_at_the_end_only(folder, whole, monkeypatch, capsys):
    def full(*files):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("vqapg.export.json_lines.atomic_write", full)
        assert sample("--html", "gallery.html") == 1
    err = capsys.readouterr().err
    assert "failed: pairs.jsonl: cannot be written (No space left on device); make room" in err
    assert "5 of 5 images are done and kept" in err and not (folder / "pairs.jsonl").exists()
    monkeypatch.setattr(PairSampler, "sample_batch", lambda *inputs: pytest.fail("sampled again"))
    # The page alone
    fsync, calls = os.fsync, []
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda file: full() if calls else calls.append(fsync(file)))
        assert sample("--html", "gallery.html") == 1
    assert (
        "failed: gallery.html: cannot be written (No space left on device)"
        in capsys.readouterr().err
    )
    assert not (folder / "gallery.html").exists() and (folder / "pairs.jsonl").read_bytes() == whole
    assert (
        sample("--html", "gallery.html") == 0
        and (folder / "gallery.html").exists()
        and left_over(folder) == []
    )


def test_ctrl_c(folder, whole, monkeypatch, capsys):
    original, calls = PairSampler.sample_batch, []

    def interrupted(*inputs):
        calls.append(inputs)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*inputs)

    monkeypatch.setattr(PairSampler, "sample_batch", interrupted)
    assert sample("--batch-size", 3) == 130
    assert capsys.readouterr().err.splitlines()[-1] == (
        "vqapg sample: interrupted; 2 of 5 images are done and kept, the same command goes on"
    )
    assert sample() == 0 and (folder / "pairs.jsonl").read_bytes() == whole


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_really_stopped_goes_on(folder, end):
    for number in range(5, 200):
        draw_picture(folder / f"photos/{number}.png", number)
    words = [
        sys.executable,
        "-m",
        "vqapg.cli.main",
        "sample",
        "--checkpoint",
        "model.pt",
        "photos",
        "--output",
        "pairs.jsonl",
        *map(str, DRAWN),
        "--num-workers",
        "1",
        "--batch-size",
        "3",
    ]
    process = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Tests that a shell runs in the background ignore it, and what they start would too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    journal = folder / "pairs.jsonl.partial"
    while not (journal.exists() and journal.read_bytes().count(b"\n") > 5):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    # As a terminal does: to the workers too
    os.killpg(process.pid, end)
    _, err = process.communicate(timeout=100)
    if end == signal.SIGINT:
        assert process.returncode == 130 and "Traceback" not in err
        assert err.splitlines()[-1].startswith("vqapg sample: interrupted; ")
    assert 5 < journal.read_bytes().count(b"\n") < 200 and not (folder / "pairs.jsonl").exists()
    assert sample() == 0
    gone_on = (folder / "pairs.jsonl").read_bytes()
    assert sample("--overwrite") == 0 and (folder / "pairs.jsonl").read_bytes() == gone_on


# --- Refused
# --------------------------------------------------------------------------------


def test_what_is_there_is_not_replaced_unasked(folder, whole, capsys):
    assert sample(output="whole.jsonl") == 2
    assert (
        "whole.jsonl: is there already; give another name, or --overwrite"
        in capsys.readouterr().err
    )
    assert sample("--shard", "2/2", output="whole.jsonl") == 2
    assert (
        "each shard needs an output of its own, such as whole-2.jsonl\n" in capsys.readouterr().err
    )
    assert sample("--seed", 2, "--overwrite", output="whole.jsonl") == 0
    assert (folder / "whole.jsonl").read_bytes() != whole


def test_another_runs_leftovers_are_not_mixed_in(folder, capsys):
    (folder / "photos/2.png").write_bytes(b"no image")
    assert sample("--batch-size", 3) == 2
    draw_picture(folder / "photos/2.png", 2)
    for flags, difference in (
        (["--seed", 2], "--seed 1, not 2"),
        (["--shard", "1/2"], "without --shard"),
    ):
        assert sample(*flags) == 2
        assert (
            f"was left by a run that makes something else ({difference})" in capsys.readouterr().err
        )
    assert sample("--seed", 2, "--overwrite") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": ["none"]}, "none: no such file or folder"),
        ({"images": ["empty"]}, "empty: no image in it"),
        ({"checkpoint": "none.pt"}, "--checkpoint none.pt: there is no such file"),
        ({"checkpoint": "photos/0.png"}, "photos/0.png: not a whole checkpoint of a vqapg model"),
        (
            {"checkpoint": "evaluator.pt"},
            "evaluator.pt: is the consistency evaluator, which makes no pairs",
        ),
        ({"checkpoint": "photos"}, "--checkpoint photos: is a folder; give a file in it"),
        ({"checkpoint": "runs"}, "--checkpoint runs: is a folder; give runs/checkpoint_best.pt"),
        (
            {"flags": ["--question", "why?", "--answer", "no"]},
            "--question and --answer: with both the pair is whole",
        ),
        ({"flags": ["--evaluator", "none.pt"]}, "--evaluator none.pt: there is no such file"),
        ({"flags": ["--evaluator", "model.pt"]}, "model.pt: is no consistency evaluator"),
        (
            {"flags": ["--keep", 3]},
            "--keep goes by the consistency of pairs: give --evaluator, or --judge",
        ),
        (
            {"flags": ["--judge", "truth:easy-vqa"]},
            "--judge truth:easy-vqa: needs a data directory",
        ),
        (
            {"flags": ["--judge", "vqa:model.pt"]},
            "--judge vqa: needs a data directory, and here are only pictures",
        ),
        ({"flags": ["--judge", "evaluator:model.pt"]}, "model.pt: is no consistency evaluator"),
        ({"flags": ["--weights", "bad.pt"]}, "--weights bad.pt: "),
        (
            {"flags": ["--question", "why?"]},
            "--question: this model makes question and answer together",
        ),
        ({"flags": ["--shard", "3/2"]}, "--shard 3/2: give I/N"),
        ({"flags": ["--shard", "1/9"]}, "--shard 1/9: there are only 5 images"),
        ({"flags": ["--batch-size", 0]}, "--batch-size 0: must be at least 1"),
        ({"flags": ["--num-samples", 0]}, "--num-samples must be at least 1"),
        ({"output": "pairs.txt"}, "--output pairs.txt: its ending tells no format"),
        ({"output": "none/pairs.jsonl"}, "there is no folder none"),
        ({"output": "photos"}, "is read by this very command"),
        ({"output": "model.pt", "flags": ["--format", "csv"]}, "is read by this very command"),
        ({"flags": ["--html", "pairs.jsonl"]}, "is read by this very command"),
        ({"flags": ["--html", "photos"]}, "--html photos: is a folder"),
    ],
)
def test_bad_input_is_one_line_and_exit_status_2(folder, capsys, arguments, message):
    (folder / "empty").mkdir()
    (folder / "runs").mkdir()
    (folder / "runs/checkpoint_best.pt").touch()
    (folder / "bad.pt").write_bytes(b"x")
    flags = arguments.pop("flags", [])
    assert sample(*flags, **arguments) == 2
    out, err = capsys.readouterr()
    assert (
        out == ""
        and err.count("\n") == 1
        and err.startswith("vqapg sample: error: ")
        and message in err
    )
    assert not (folder / "pairs.jsonl").exists() and left_over(folder) == []


@pytest.mark.parametrize(
    "flags", [["--keep", "3"], ["--min-consistency", "2"], ["--num-samples", "0"], []]
)
def test_what_can_be_told_at_once_is(folder, flags):
    record = dict.fromkeys(("image", "question", "answer", "score", "seed", "draw", "model"))
    (folder / "pairs.jsonl").write_text(json.dumps(record) + "\n")
    words = ["sample", "--checkpoint", "model.pt", "photos", "--output", "pairs.jsonl", *flags]
    code = (
        f"import sys; from vqapg.cli.main import main; print(main({words}), 'torch' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert told.stdout == "2 False\n", told.stderr


def test_no_image_that_can_be_read(folder, capsys):
    (folder / "bad.png").write_bytes(b"x")
    assert sample("--skip-bad-images", images=["bad.png"]) == 2
    assert "no image can be read; the first: bad.png" in capsys.readouterr().err
