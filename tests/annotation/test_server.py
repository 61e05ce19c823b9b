import http.client
import signal
import socket
import subprocess
import sys
import threading

import pytest

from tests.support.annotation_requests import get, judgement, post, request
from vqapg.annotation.judgements import JudgementLog, read_judgements
from vqapg.annotation.server import AnnotationServer
from vqapg.errors import InputError


@pytest.fixture
def server(session):
    with JudgementLog(session) as log, AnnotationServer(session, log, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_page_loads_nothing_from_elsewhere(server):
    status, headers, content = request(server.server_port, "GET", "/")
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    page = content.decode()
    assert "<script>" in page and "http:" not in page and "https:" not in page


def test_a_session_is_in_the_annotators_order_with_suggestions(server, session):
    status, content = get(server.server_port, "/api/session?annotator=%20Anna")
    assert status == 200 and content["annotator"] == "anna" and content["judgements"] == {}
    assert [group["id"] for group in content["groups"]] == [
        group.id for group in session.order("anna")
    ]
    pairs = {pair["question"]: pair for group in content["groups"] for pair in group["pairs"]}
    assert pairs["what color is the cat?"]["suggested_type"] == "what color"
    assert pairs["what color is the cat?"]["suggested_objects"] == ["cat", "black"]


def test_no_answer_tells_the_model_or_the_images_name(server, session):
    paths = [
        "/",
        "/api/session?annotator=anna",
        "/api/session?annotator=",
        "/images/001.jpg",
        "/session.json",
    ]
    for path in paths:
        content = request(server.server_port, "GET", path)[2]
        assert (
            b"model-one" not in content and b"model-two" not in content and b".png" not in content
        )


def test_images(server, session):
    for number in range(3):
        status, headers, content = request(
            server.server_port, "GET", f"/images/{number + 1:03}.jpg"
        )
        assert status == 200 and headers["Content-Type"] == "image/jpeg"
        assert content == session.image_path(number).read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "/images/004.jpg",
        "/images/000.jpg",
        "/images/../session.json",
        "/session.json",
        "/judgements.jsonl",
    ],
)
def test_nothing_else_is_served(server, path):
    assert get(server.server_port, path)[0] == 404


def test_a_judgement_is_on_the_disk_when_it_is_answered(server, session):
    assert post(server.server_port, judgement(annotator="Anna")) == (200, {"value": "1"})
    assert read_judgements(session) == {"anna": {"g1p1": {"consistency": "1"}}}
    post(server.server_port, judgement(value="2"))
    post(server.server_port, judgement(field="object", value=" the cat "))
    _, content = get(server.server_port, "/api/session?annotator=anna")
    assert content["judgements"] == {"g1p1": {"consistency": "2", "object": "the cat"}}
    assert get(server.server_port, "/api/session?annotator=ben")[1]["judgements"] == {}


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (judgement(value="3"), "consistency '3'"),
        (judgement(pair="g99p1"), "g99p1"),
        (judgement(field="model"), "field 'model'"),
        (judgement(annotator=" "), "give a name"),
        ({"annotator": "anna"}, "pair"),
        ([1], ""),
        ("nonsense", ""),
        (b"\xff", ""),
        (judgement(value="\ud800", field="object"), ""),
    ],
)
def test_what_is_no_judgement_is_refused_with_the_reason(server, session, record, message):
    status, content = post(server.server_port, record)
    assert status == 400 and message in content["error"]
    assert read_judgements(session) == {}


def test_other_sites_cannot_judge(server, session):
    assert post(server.server_port, judgement(), "text/plain")[0] == 400
    assert read_judgements(session) == {}


def test_bodies_that_are_too_long_or_of_no_length_are_refused(server, session):
    assert post(server.server_port, "x" * 20_000)[0] == 400
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        host = f"Host: 127.0.0.1:{server.server_port}".encode()
        connection.sendall(b"POST /api/judgements HTTP/1.1\r\n" + host + b"\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.0 400")
    assert post(server.server_port, judgement())[0] == 200


def test_an_unknown_path_takes_no_judgement(server):
    assert (
        request(
            server.server_port, "POST", "/api/other", "{}", {"Content-Type": "application/json"}
        )[0]
        == 404
    )


def test_a_browser_that_goes_away_disturbs_nobody(server, capsys):
    for _ in range(3):
        connection = socket.create_connection(("127.0.0.1", server.server_port))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT")
        connection.close()
    assert get(server.server_port, "/api/session?annotator=anna")[0] == 200
    assert "Traceback" not in capsys.readouterr().err


def test_a_disk_that_takes_no_more_is_told(server, session, monkeypatch):
    def fail(*arguments):
        raise OSError("No space left on device")

    monkeypatch.setattr(server.log, "append", fail)
    status, content = post(server.server_port, judgement())
    assert status == 507 and "No space left" in content["error"]


def test_only_this_machine_is_served(server):
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("port", [70000, -1])
def test_a_port_that_cannot_be_had_is_bad_input(session, server, port):
    with pytest.raises(InputError, match=f"--port {port}"):
        AnnotationServer(session, None, port)
    with pytest.raises(InputError, match=f"--port {server.server_port}: cannot be had"):
        AnnotationServer(session, None, server.server_port)


def start_server(session):
    command = [
        sys.executable,
        "-m",
        "vqapg.cli.main",
        "annotate",
        "serve",
        str(session.path),
        "--port",
        "0",
    ]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that a shell runs in the background ignore it, and what they start would too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    return process, int(process.stdout.readline().split("/")[2].split(":")[1])


def test_a_server_killed_in_the_middle_has_lost_nothing_and_goes_on(session):
    pairs = [pair.id for group in session.groups for pair in group.pairs]
    saved = {}
    for kill in range(2):
        process, port = start_server(session)
        stop = threading.Event()

        def judge(port=port, kill=kill, stop=stop):
            number = 0
            while not stop.is_set():
                pair, value = pairs[number % len(pairs)], f"thing {kill} {number}"
                try:
                    if post(port, judgement(pair=pair, field="object", value=value))[0] == 200:
                        saved.setdefault(pair, []).append(value)
                        number += 1
                except (OSError, http.client.HTTPException):
                    sent[:] = [(pair, value)]
                    return
                if number == 25:
                    enough.set()

        sent, enough = [], threading.Event()
        thread = threading.Thread(target=judge)
        thread.start()
        assert enough.wait(60)
        process.kill()
        process.communicate()
        stop.set()
        thread.join()
        kept = read_judgements(session)["anna"]
        # What was being sent when the server was killed may have come through.
        for pair, values in saved.items():
            assert kept[pair]["object"] == values[-1] or [(pair, kept[pair]["object"])] == sent


def test_control_c_ends_the_server_in_order(session):
    process, port = start_server(session)
    post(port, judgement())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err == "vqapg annotate: loading libraries\n"
    assert "anna: 0 of " in out
