import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from vqapg.annotation.judgements import JudgementLog, annotator_name, checked_value, read_judgements
from vqapg.errors import InputError


def file_of(session):
    return session.path / "judgements.jsonl"


def test_what_is_appended_is_read(session):
    assert read_judgements(session) == {}
    with JudgementLog(session) as log:
        log.append("Anna", "g1p1", "consistency", "1")
        log.append("anna ", "g1p1", "consistency", "?")
        log.append("anna", "g1p1", "object", " the  Cat ")
        log.append("ben", "g2p1", "question_type", "is there")
        inside = log.judgements
    expected = {
        "anna": {"g1p1": {"consistency": "?", "object": "the Cat"}},
        "ben": {"g2p1": {"question_type": "is there"}},
    }
    assert inside == read_judgements(session) == expected
    lines = [json.loads(line) for line in file_of(session).read_text().splitlines()]
    assert [line["value"] for line in lines] == ["1", "?", "the Cat", "is there"]
    assert all(line["time"].startswith("20") for line in lines)
    with JudgementLog(session) as log:
        assert log.of("anna") == expected["anna"] and log.of("nobody") == {}


def test_a_log_cut_at_any_byte_holds_every_whole_line_and_goes_on(session):
    marks = "0 2".split()
    with JudgementLog(session) as log:
        for number, mark in enumerate(marks):
            log.append("anná", f"g{number + 1}p1", "consistency", mark)
    content = file_of(session).read_bytes()
    for end in range(len(content) + 1):
        file_of(session).write_bytes(content[:end])
        whole = {
            f"g{number + 1}p1": {"consistency": marks[number]}
            for number in range(content[:end].count(b"\n"))
        }
        assert read_judgements(session).get("anná", {}) == whole
        with JudgementLog(session) as log:
            assert log.of("anná") == whole
            log.append("anná", "g6p1", "consistency", "2")
        assert read_judgements(session)["anná"] == whole | {"g6p1": {"consistency": "2"}}


APPEND_FOR_EVER = """
import itertools, sys
from vqapg.annotation.judgements import JudgementLog
from vqapg.annotation.session import read_session
with JudgementLog(read_session(sys.argv[1])) as log:
    for number in itertools.count():
        log.append("anna", "g1p1", "object", f"thing {number}")
        print(number, flush=True)
"""


def test_a_killed_process_has_kept_all_that_it_had_saved(session):
    for until in (1, 40):
        process = subprocess.Popen(
            [sys.executable, "-c", APPEND_FOR_EVER, str(session.path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(until):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        last = [until - 1, *map(int, process.stdout.read().split("\n")[:-1])][-1]
        process.wait()
        kept = read_judgements(session)["anna"]["g1p1"]["object"]
        # One more may be on the disk than was told.
        assert kept in (f"thing {last}", f"thing {last + 1}")


def test_only_one_process_writes(session):
    with (
        JudgementLog(session),
        pytest.raises(InputError, match="another vqapg annotate has it open"),
    ):
        JudgementLog(session).__enter__()
    with JudgementLog(session) as log:
        log.append("anna", "g1p1", "consistency", "1")


def test_a_full_disk_saves_nothing_and_spoils_nothing(session, monkeypatch):
    with JudgementLog(session) as log:
        log.append("anna", "g1p1", "consistency", "1")
        before = file_of(session).read_bytes()

        def fail(descriptor):
            raise OSError("No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            with pytest.raises(OSError, match="No space"):
                log.append("anna", "g1p1", "consistency", "2")
        assert file_of(session).read_bytes() == before
        assert log.of("anna") == {"g1p1": {"consistency": "1"}}
        log.append("anna", "g1p1", "consistency", "0")
    assert read_judgements(session) == {"anna": {"g1p1": {"consistency": "0"}}}


def test_many_at_once_are_all_saved_or_none(session):
    first, second = (("anna", "g1p1", "consistency", mark) for mark in "12")
    good = [first, ("ben", "g1p1", "object", "cat"), second]
    with JudgementLog(session) as log:
        with pytest.raises(InputError, match="consistency '7'"):
            log.extend([*good, ("anna", "g1p2", "consistency", "7")])
        assert log.judgements == read_judgements(session) == {}
        assert log.extend(good) == ["1", "cat", "2"]
        expected = {"anna": {"g1p1": {"consistency": "2"}}, "ben": {"g1p1": {"object": "cat"}}}
        assert log.judgements == read_judgements(session) == expected


def test_a_closed_log_saves_nothing(session):
    with JudgementLog(session) as log:
        pass
    with pytest.raises(OSError, match="closed"):
        log.append("anna", "g1p1", "consistency", "1")
    assert log.of("anna") == {}


def test_threads_append_at_once(session):
    pairs = [pair.id for group in session.groups for pair in group.pairs]

    def judge(name):
        for pair in pairs:
            log.append(name, pair, "object", f"thing of {name}")

    with JudgementLog(session) as log:
        threads = [
            threading.Thread(target=judge, args=(f"annotator {number}",)) for number in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert read_judgements(session) == {
        f"annotator {n}": {pair: {"object": f"thing of annotator {n}"} for pair in pairs}
        for n in range(4)
    }


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        '{"annotator": "anna"}',
        '{"annotator": "anna", "pair": "g99p1", "field": "consistency", "value": "1"}',
        '{"annotator": "anna", "pair": "g1p1", "field": "consistency", "value": "3"}',
        '{"annotator": 3, "pair": "g1p1", "field": "consistency", "value": "3"}',
    ],
)
def test_a_broken_line_is_bad_input(session, line):
    with JudgementLog(session) as log:
        log.append("anna", "g1p1", "consistency", "1")
    content = file_of(session).read_text() + line + "\n"
    file_of(session).write_text(content)
    with pytest.raises(InputError, match=r"judgements.jsonl:2: "):
        read_judgements(session)
    with pytest.raises(InputError, match=r"judgements.jsonl:2: "):
        JudgementLog(session).__enter__()
    assert file_of(session).read_text() == content


def test_names():
    assert annotator_name("  Anna  Maria ") == "anna maria"
    for bad in ("", "  ", "x" * 61, "a\x00b", None, 3):
        with pytest.raises(InputError, match="give a name"):
            annotator_name(bad)


def test_values():
    assert checked_value("object", "-") == "-"
    assert checked_value("object", " the cat") == "the cat"
    for field, bad in [
        ("consistency", "3"),
        ("consistency", 2),
        ("consistency", ""),
        ("object", ""),
        ("object", "..."),
        ("question_type", "-"),
        ("question_type", " "),
        ("object", "x" * 61),
        ("object", "a\x07b"),
        ("other", "1"),
    ]:
        with pytest.raises(InputError, match=field):
            checked_value(field, bad)


def test_a_pair_of_another_session_is_refused(session):
    with JudgementLog(session) as log, pytest.raises(InputError, match="g7p1"):
        log.append("anna", "g7p1", "consistency", "1")
    assert read_judgements(session) == {}
