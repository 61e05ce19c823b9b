"""Input in numbered parts, the folder they are written to, and the flags of ``--ray``."""

import builtins
import json
import tarfile

import pytest

from tests.support.tiny_checkpoints import draw_pictures, save_checkpoint
from vqapg.cli.main import main
from vqapg.data.input_image import InputImage
from vqapg.errors import ExistsError, InputError
from vqapg.sampling.counts import Counts
from vqapg.sampling.image_parts import Part, digest_of, split_in_parts
from vqapg.sampling.images import find_images
from vqapg.sampling.on_ray import pages_of
from vqapg.sampling.parts_folder import PartsFolder
from vqapg.sampling.shards import Shard

IDENTITY = {"journal": "vqapg sample 3", "checkpoint": "joint:ab", "seed": 1, "images": "ab"}


def image(number):
    return InputImage(f"{number}.png", f"{number}.png")


def test_parts_have_a_size_and_a_shard_is_one():
    shard = Shard("s.tar", "s.tar")
    found = [image(0), image(1), image(2), shard, shard, image(3)]
    assert split_in_parts(found, 2) == [
        Part(images=(image(0), image(1))),
        Part(images=(image(2),)),
        Part(shard=shard),
        Part(shard=shard),
        Part(images=(image(3),)),
    ]
    assert split_in_parts([], 2) == []


def test_digest_tells_other_names_and_other_sizes():
    found = [image(number) for number in range(4)]
    digests = {digest_of(split_in_parts(found, size)) for size in (1, 2, 3, 4)}
    digests.add(digest_of(split_in_parts(found[::-1], 2)))
    assert len(digests) == 5
    assert digest_of(split_in_parts(found, 2)) in digests


def test_shards_are_listed_by_who_reads_them(tmp_path):
    draw_pictures(tmp_path / "photos", 2)
    with tarfile.open(tmp_path / "s.tar", "w") as file:
        file.add(tmp_path / "photos", "photos")
    arguments = [tmp_path / "s.tar", tmp_path / "photos", tmp_path / "s.tar"]
    lazy = find_images(arguments, list_shards=False)
    assert [type(one) for one in lazy] == [Shard, InputImage, InputImage]
    (part, _) = split_in_parts(lazy, 2)
    with part.open(lazy.passed_over) as images:
        assert images == list(find_images(arguments[:1]))


def test_page_is_of_the_first_parts_only():
    parts = split_in_parts([image(number) for number in range(5000)], 400)
    assert pages_of(parts) == [0, 1, 2]
    assert pages_of([Part(shard=Shard("s", "s"))] * 30) == list(range(10))


@pytest.fixture(params=["", "file://"])
def folder(request, tmp_path):
    """A PartsFolder by its path, and by its address."""
    return PartsFolder(f"{request.param}{tmp_path}/p.jsonl", 2)


def test_part_is_done_when_what_came_of_it_is_there(folder, tmp_path):
    folder.begin(IDENTITY, overwrite=False)
    assert folder.done(0) is None and folder.finished() == {}
    folder.write_part(0, [{"image": "ø"}], {"pairs": 1}, ("image",))
    assert (tmp_path / "p.jsonl/part-00000-of-00002.jsonl").read_text() == '{"image": "ø"}\n'
    assert folder.finished() == {0: {"pairs": 1}}
    folder.begin(IDENTITY, overwrite=False)
    assert folder.finished() == {0: {"pairs": 1}}
    # Cut short between the two: it is not done.
    (tmp_path / "p.jsonl/_vqapg/00000.json").unlink()
    folder.begin(IDENTITY, overwrite=False)
    assert folder.finished() == {}


def test_folder_of_another_run_is_refused_or_begun_anew(folder, tmp_path):
    folder.begin(IDENTITY, overwrite=False)
    # Nothing is lost: no part is done.
    folder.begin(IDENTITY | {"seed": 2}, overwrite=False)
    folder.write_part(1, [], {}, ("image",))
    with pytest.raises(InputError, match="was left by a run that makes something else") as error:
        folder.begin(IDENTITY | {"images": "cd"}, overwrite=False)
    assert "(--seed 2, not 1, other images)" in str(error.value)
    folder.begin(IDENTITY, overwrite=True)
    assert folder.names() == {"_vqapg/run.json"}
    folder.finish({"pairs": 0})
    with pytest.raises(ExistsError, match="is there already"):
        folder.begin(IDENTITY, overwrite=False)
    folder.begin(IDENTITY, overwrite=True)
    assert folder.names() == {"_vqapg/run.json"}


def test_foreign_files_are_never_replaced(folder, tmp_path):
    (tmp_path / "p.jsonl").mkdir()
    (tmp_path / "p.jsonl/mine.txt").write_text("mine")
    for message in ("was not written by vqapg", "holds mine.txt, which vqapg did not write"):
        with pytest.raises(InputError, match=message):
            folder.begin(IDENTITY, overwrite=True)
        assert (tmp_path / "p.jsonl/mine.txt").read_text() == "mine"
        (tmp_path / "p.jsonl/mine.txt").unlink()
        folder.begin(IDENTITY, overwrite=False)
        (tmp_path / "p.jsonl/mine.txt").write_text("mine")


def test_file_in_the_place_of_the_folder_is_refused(folder, tmp_path):
    (tmp_path / "p.jsonl").write_text("mine")
    with pytest.raises(InputError, match="is a file, and --ray writes a folder"):
        folder.begin(IDENTITY, overwrite=True)


def test_counts_are_summed_in_order():
    first, second = Counts(1, 0, 3, 1, 0, ["a"]), Counts(2, 1, 4, 0, 5, ["b", "c"])
    assert Counts.sum([first, second]) == Counts(3, 1, 7, 1, 5, ["a", "b", "c"])
    assert Counts.from_json(json.loads(json.dumps(second.as_json()))) == second


@pytest.fixture
def command(tmp_path, monkeypatch, dictionary):
    monkeypatch.chdir(tmp_path)
    draw_pictures(tmp_path / "photos", 1)
    save_checkpoint("model.pt", "vqapg_joint_variational", dictionary)
    return ["sample", "--checkpoint", "model.pt", "photos", "--output"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["p.csv", "--ray"], "--output p.csv: --ray writes a folder of parts; let its name end in"),
        (["p.jsonl", "--ray", "photos/"], "--ray photos/: is no address such as 10.0.0.1:6379"),
        (["p.jsonl", "--ray", "--shard", "1/2"], "--shard: does not go with --ray"),
        (["p.jsonl", "--ray", "--format", "csv"], "--format: does not go with --ray"),
        (["p.jsonl", "--ray", "--part-size", "0"], "--part-size 0: must be at least 1"),
    ],
)
def test_flags_that_do_not_go_with_ray_are_refused(command, capsys, words, message):
    assert main([*command, *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and message in err


def test_without_ray_one_line_says_what_to_install(command, monkeypatch, capsys):
    real = builtins.__import__

    def without(name, *rest):
        if name == "ray" or name.startswith("ray."):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main([*command, "p.jsonl", "--ray"]) == 2
    assert "pip install 'vqapg[ray]' on every machine\n" in capsys.readouterr().err
