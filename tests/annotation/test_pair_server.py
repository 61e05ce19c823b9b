import threading

import pytest

from tests.support.annotation_requests import get, judgement, post, request
from tests.support.consistency_sessions import Believer, make_session, triples
from vqapg.annotation.judgements import JudgementLog, read_judgements
from vqapg.annotation.server import AnnotationServer


@pytest.fixture
def planned_server(tmp_path):
    """The server of a session with a plan, whose judge believes half of the pairs."""
    files = {"model-one": triples("good", range(4)) + triples("bad", range(4))}
    session = make_session(tmp_path, files, Believer())
    with JudgementLog(session) as log, AnnotationServer(session, log, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_planned_session_has_the_page_of_one_pair(planned_server):
    status, headers, content = request(planned_server.server_port, "GET", "/")
    assert status == 200 and "default-src 'none'" in headers["Content-Security-Policy"]
    page = content.decode()
    assert "Is the answer right?" in page and "http:" not in page and "https:" not in page


def test_planned_session_sends_pairs_and_own_marks(planned_server):
    port, session = planned_server.server_port, planned_server.session
    assert post(port, judgement(value="2"))[0] == 200
    status, content = get(port, "/api/session?annotator=Anna")
    assert status == 200 and content["annotator"] == "anna" and content["marks"] == {"g1p1": "2"}
    assert content["pairs"] == [
        {
            **group.pairs[0]._asdict(),
            "image": f"images/{group.image + 1:03}.jpg",
        }
        for group in session.groups
    ]
    # Nothing tells the file, the judge's opinion or the image's name.
    raw = request(port, "GET", "/api/session?annotator=anna")[2]
    for secret in (b"model-one", b"accepted", b"stratum", b".png", b"believer"):
        assert secret not in raw


def test_planned_session_takes_no_other_field(planned_server):
    status, content = post(planned_server.server_port, judgement(field="object", value="cat"))
    assert status == 400 and "asks for consistency only" in content["error"]
    assert read_judgements(planned_server.session) == {}
