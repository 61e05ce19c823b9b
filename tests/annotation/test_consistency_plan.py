import json

import pytest

from tests.support.consistency_sessions import Believer, make_session, triples
from vqapg.annotation.judgements import JudgementLog, read_judgements
from vqapg.annotation.session import read_session
from vqapg.annotation.session_figures import session_figures
from vqapg.errors import InputError


@pytest.fixture
def planned(tmp_path):
    """A session with two cells: g1 to g4 in some order."""
    files = {"a": triples("good", range(3)) + triples("bad", range(1))}
    return make_session(tmp_path, files, Believer())


def rewrite(session, change):
    """Changes the content of session.json by *change(content)*."""
    file = session.path / "session.json"
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def test_session_of_the_first_format_is_the_papers(session):
    """As vqapg wrote them before there were plans."""

    def as_before(content):
        content["format"] = 1
        del content["plan"]

    rewrite(session, as_before)
    old = read_session(session.path)
    assert old == session and old.plan is None
    assert old.fields == ("consistency", "question_type", "object")
    with JudgementLog(old) as log:
        log.append("anna", "g1p1", "object", "cat")
    assert read_judgements(old) == {"anna": {"g1p1": {"object": "cat"}}}


def test_paper_session_of_this_format_has_no_plan(session):
    content = json.loads((session.path / "session.json").read_text())
    assert content["format"] == 2 and content["plan"] is None


@pytest.mark.parametrize("found", [3, True, "2", None])
def test_session_of_another_format_is_bad_input(session, found):
    rewrite(session, lambda content: content.update(format=found))
    with pytest.raises(InputError, match="session.json: of format"):
        read_session(session.path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda plan: plan.update(files=[]), "files is no object"),
        (lambda plan: plan.update(cells={}), "cells no list"),
        (lambda plan: plan.update(annotators=0), "annotators"),
        (lambda plan: plan.update(annotators=True), "annotators"),
        (lambda plan: plan.update(asked="9"), "asked"),
        (lambda plan: plan.update(judge="x"), "judge is no object"),
        (lambda plan: plan["files"]["a"].update(triples=5), "are not all of its triples"),
        (lambda plan: plan["files"]["a"].update(triples="4"), "a count"),
        (lambda plan: plan["files"]["a"].update(sha256=None), "a checksum"),
        (lambda plan: plan["files"]["a"].update(x=1), "broken"),
        (lambda plan: plan["files"].update(b=plan["files"]["a"]), "are not all of its"),
        (lambda plan: plan["cells"].pop(), "do not hold each pair"),
        (lambda plan: plan["cells"][0].pop("size"), r"cells\[0\] is not of its form"),
        (lambda plan: plan["cells"][0].update(files=["x"]), r"cells\[0\] is of no file"),
        (lambda plan: plan["cells"][0].update(files=[]), r"cells\[0\] is of no file"),
        (lambda plan: plan["cells"][0].update(files=3), r"cells\[0\] is not of its form"),
        (lambda plan: plan["cells"][0].update(stratum="x"), r"cells\[0\] is of no known"),
        (lambda plan: plan["cells"][0].update(size=0), r"cells\[0\] has more pairs"),
        (lambda plan: plan["cells"][0].update(size=1.5), r"cells\[0\] has more pairs"),
        (lambda plan: plan["cells"][0].update(pairs=["g9p1"]), "do not hold each pair"),
        (lambda plan: plan["cells"][0].update(pairs=[3]), "broken"),
    ],
)
def test_broken_plan_is_one_line_of_bad_input(planned, change, message):
    rewrite(planned, lambda content: change(content["plan"]))
    with pytest.raises(InputError, match=f"session.json: broken .*{message}|{message}") as raised:
        read_session(planned.path)
    assert "\n" not in str(raised.value) and "make a new session" in str(raised.value)


def test_plan_that_is_a_text_is_bad_input(planned):
    rewrite(planned, lambda content: content.update(plan="x"))
    with pytest.raises(InputError, match="session.json: broken"):
        read_session(planned.path)


def test_planned_session_takes_consistency_alone(planned):
    with JudgementLog(planned) as log:
        with pytest.raises(InputError, match="field 'object': this session asks for consistency"):
            log.append("anna", "g1p1", "object", "cat")
        log.append("anna", "g1p1", "consistency", "2")
    assert read_judgements(planned) == {"anna": {"g1p1": {"consistency": "2"}}}


def test_score_of_a_planned_session_is_bad_input(planned):
    with pytest.raises(InputError, match="use vqapg annotate estimate"):
        session_figures(planned, {"anna": {"g1p1": {"consistency": "2"}}})
