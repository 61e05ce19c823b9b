"""A checkpoint's data.pkl that would keep its reader busy without end, or take all memory."""

import io
import pickle
import zipfile
from collections import OrderedDict, defaultdict

import pytest
import torch
from omegaconf import OmegaConf

from tests.support.tiny_checkpoints import refused, save_checkpoint
from vqapg.errors import InputError
from vqapg.tasks import checkpoint_pickle
from vqapg.tasks.checkpoint_pickle import check_pickle

LEVELS = 60  # 2**60 values when nothing is shared: whatever visits them never ends


def nested(kind):
    """A value of *kind* that holds one value twice, which holds one value twice, and so on."""
    value = "x"
    for _ in range(LEVELS):
        value = kind(value)
    return value


def check(content):
    check_pickle(io.BytesIO(content))


def check_value(value):
    check(pickle.dumps(value, 2))


@pytest.mark.parametrize(
    "kind",
    [
        lambda value: (value, value),
        lambda value: (value, value, value, value),
        lambda value: [value, value],
        lambda value: {"a": value, "b": value},
        lambda value: OrderedDict(a=value, b=(value,)),
    ],
    ids=["pair", "tuple", "list", "dict", "OrderedDict"],
)
def test_parts_shared_level_by_level_are_refused(kind):
    with pytest.raises(InputError, match="refers to the same parts again and again"):
        check_value({"model": nested(kind)})


def test_lists_that_are_filled_from_the_top_are_counted_in_full():
    """Each list is still empty when the one above takes it up, so counting then is too early."""
    content = b"\x80\x02" + b"".join(b"]q" + bytes([n]) for n in range(LEVELS))
    for n in range(LEVELS - 1):
        content += b"h" + bytes([n]) + (b"h" + bytes([n + 1]) + b"a") * 2
    with pytest.raises(InputError, match="again and again"):
        check(content + b"h\x00.")


def test_shared_parts_that_nothing_refers_to_later_are_counted():
    """torch builds and hashes what is left on the stack all the same."""
    with pytest.raises(InputError, match="again and again"):
        check(pickle.dumps(nested(lambda value: (value, value)), 2)[:-1] + b"K\x01.")


def test_long_text_counts_each_time(monkeypatch):
    """Ten references to 100 characters: 10 * 101, and the list itself: 1,011."""
    text = "x" * 100
    monkeypatch.setattr(checkpoint_pickle, "LARGEST_CONTENT", 1011)
    check_value([text] * 10)
    monkeypatch.setattr(checkpoint_pickle, "LARGEST_CONTENT", 1010)
    with pytest.raises(InputError, match="again and again"):
        check_value([text] * 10)


def test_list_that_contains_itself_is_refused():
    loop = []
    loop.append([loop])
    with pytest.raises(InputError, match="contains itself"):
        check_value(loop)


@pytest.mark.parametrize("key", [(1, 2), ((1,), 2), frozenset("a")])
def test_key_that_is_no_text_or_number_is_refused(key):
    with pytest.raises(InputError, match="holds a (key|call)"):
        check_value({key: 1})


@pytest.mark.parametrize(
    "content, call",
    [
        (b"cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R.", "builtins.bytearray"),
        (b"c_codecs\nencode\nU\x01aX\x03\0\0\0hex\x86R.", "_codecs.encode"),
        (b"cbuiltins\nset\n](K\x01K\x02\x86K\x03e\x85R.", "builtins.set"),
        (b"ccollections\nOrderedDict\n]\x85R.", "collections.OrderedDict"),
        (b"ccollections\nCounter\n]\x85R.", "collections.Counter"),
        (b"cbuiltins\ndict\n]\x85R.", "builtins.dict"),
        (b"ctorch\nFloatTensor\nJ\xff\xff\xff\x7f\x85\x81.", "torch.FloatTensor"),
        (b"cargparse\nNamespace\nK\x01\x85\x81.", "argparse.Namespace"),
        (b"K\x01)R.", ""),
    ],
)
def test_call_that_fairseq_does_not_make_is_refused(content, call):
    with pytest.raises(InputError, match=f"holds a call of '{call}', which fairseq does not write"):
        check(b"\x80\x02" + content)


@pytest.mark.parametrize(
    "content, what",
    [
        (b"cargparse\nNamespace\n)\x81]b.", "attributes that are no dictionary"),
        (b"(U\x07storageK\x01K\x02\x86tQ.", "weights without a name"),
        (b"\x8f.", "the opcode EMPTY_SET"),
    ],
)
def test_what_would_be_hashed_elsewhere_is_refused(content, what):
    with pytest.raises(InputError, match=f"holds {what}, which fairseq does not write"):
        check(b"\x80\x02" + content)


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x02", b"a.", b"\x85.", b"t.", b"h\x07.", b"\xff", b"b.", b"]K\x01("]
)
def test_damaged_pickle_is_one_line(content):
    with pytest.raises(InputError, match="data.pkl is damaged"):
        check(content)


def test_what_fairseq_writes_is_taken():
    settings = OmegaConf.create({"model": {"_name": "a", "sizes": [1, 2]}, "seed": None})
    check_value(
        {
            "cfg": settings,
            "model": OrderedDict(a=1.5, b=True),
            "extra_state": {"metrics": [(0, "loss", "AverageMeter", {"n": 3})]},
            "last_optimizer_state": {"state": {0: {"step": 2**40}}, "d": defaultdict(dict)},
        }
    )


@pytest.mark.parametrize("name", ["data.pkl", "DATA.PKL"])
def test_archive_with_such_a_pickle_is_one_line(tmp_path, dictionary, name):
    path, hostile = tmp_path / "model.pt", tmp_path / "hostile.pt"
    save_checkpoint(path, "vqapg_joint_variational", dictionary)
    state = torch.load(path, weights_only=False)
    state["extra_state"]["metrics"] = {"train": [(0, "a", nested(lambda value: (value, value)), 1)]}
    torch.save(state, path)
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(hostile, "w") as copy:
        for member in archive.namelist():
            copy.writestr(member.replace("data.pkl", name), archive.read(member))
    assert "refers to the same parts again and again" in refused(hostile)
