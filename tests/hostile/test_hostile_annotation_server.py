"""What the annotation server does with requests that no page of it sends."""

import contextlib
import json
import os
import resource
import socket
import threading
import time

import pytest

from vqapg.annotation import server as server_module
from vqapg.annotation.judgements import JudgementLog, read_judgements
from vqapg.annotation.server import AnnotationServer

JUDGEMENT = json.dumps({"annotator": "anna", "pair": "g1p1", "field": "consistency", "value": "1"})


@pytest.fixture
def server(session):
    with JudgementLog(session) as log, AnnotationServer(session, log, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def send(server, *lines, body="", host=None):
    """Status and body of the answer to a request of these *lines*; b"" where there was none."""
    host = f"127.0.0.1:{server.server_port}" if host is None else host
    head = "\r\n".join([*lines[:1], *([f"Host: {host}"] if host else []), *lines[1:], "", ""])
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        connection.sendall(head.encode("latin-1") + body.encode())
        connection.shutdown(socket.SHUT_WR)
        return answer_of(connection)


def answer_of(connection):
    answer = b""
    with contextlib.suppress(ConnectionError):
        while block := connection.recv(65536):
            answer += block
    if not answer.startswith(b"HTTP/"):
        return None, answer
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), content


def post(server, *headers, body=JUDGEMENT, length=None):
    length = len(body) if length is None else length
    kind = "Content-Type: application/json"
    return send(
        server,
        "POST /api/judgements HTTP/1.1",
        kind,
        f"Content-Length: {length}",
        *headers,
        body=body,
    )


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LocalHost:{port}"])
def test_own_host_is_answered(server, host):
    assert send(server, "GET / HTTP/1.1", host=host.format(port=server.server_port))[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost",
        "127.0.0.1.evil.example:{port}",
        "",
        "0:{port}",
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/session?annotator=anna", "/images/001.jpg", "/none"])
def test_other_hosts_get_403_and_one_sentence(server, host, path):
    status, content = send(
        server, f"GET {path} HTTP/1.1", host=host.format(port=server.server_port)
    )
    assert status == 403
    assert (
        json.loads(content)["error"]
        == f"this page answers only as {server.url}; open it under that address"
    )


def test_two_hosts_get_403(server):
    assert send(server, "GET / HTTP/1.1", "Host: evil.example")[0] == 403


def test_own_page_judges(server, session):
    own = f"Origin: http://127.0.0.1:{server.server_port}"
    assert post(server, own, "Sec-Fetch-Site: same-origin")[0] == 200
    assert read_judgements(session) == {"anna": {"g1p1": {"consistency": "1"}}}


@pytest.mark.parametrize(
    "header",
    [
        "Origin: http://evil.example",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ],
)
def test_other_pages_cannot_judge(server, session, header):
    status, content = post(server, header)
    assert status == 403 and "the page itself" in json.loads(content)["error"]
    assert read_judgements(session) == {}


@pytest.mark.parametrize(
    ("headers", "body", "length"),
    [
        ((), JUDGEMENT, 200),  # cut on its way
        (("Transfer-Encoding: chunked",), JUDGEMENT, None),
        (("Content-Length: 5",), JUDGEMENT, None),
        ((), JUDGEMENT, "-1"),
        ((), JUDGEMENT, "1e3"),
        ((), "[" * 9000, None),
        ((), '{"annotator":' + "9" * 9000 + "}", None),
        ((), '{"annotator": NaN, "pair": 1, "field": [], "value": {}}', None),
        ((), JUDGEMENT.replace("anna", r"a\u0000b"), None),
        ((), JUDGEMENT.replace("anna", r"a\u001b[31m"), None),
        ((), JUDGEMENT.replace("anna", r"\ud800"), None),
        ((), JUDGEMENT.replace("anna", "a" * 9000), None),
        ((), JUDGEMENT.replace("g1p1", "g" * 9000), None),
    ],
)
def test_bad_body_gets_400_and_nothing_is_saved(server, session, capfd, headers, body, length):
    status, content = post(server, *headers, body=body, length=length)
    assert status == 400 and len(json.loads(content)["error"]) < 300
    assert read_judgements(session) == {}
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /api/session?annotator=%ff HTTP/1.1", 400),
        ("GET /api/session?annotator=a%00b HTTP/1.1", 400),
        ("GET /api/session?annotator=a%1bb HTTP/1.1", 400),
        ("GET http://[ HTTP/1.1", 400),
        ("GET /images/%2e%2e/session.json HTTP/1.1", 404),
        ("GET /" + "a" * 70_000 + " HTTP/1.1", 414),
        ("GET / HTTP/9.9", 505),
        ("PUT / HTTP/1.1", 501),
        ("nonsense", 400),
        ("\x00\xff", 400),
    ],
)
def test_bad_request_line_gets_its_status(server, capfd, line, status):
    answered, content = send(server, line)
    # Where no version could be read, Python answers as HTTP/0.9 does: without a head.
    assert answered == status or f"Error code: {status}".encode() in content
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "header", ["X: " + "a" * 70_000, "\r\n".join(f"X-{number}: a" for number in range(200))]
)
def test_too_many_headers_get_431(server, header):
    assert send(server, "GET / HTTP/1.1", header)[0] == 431


def test_slow_clients_keep_nobody_out(server, monkeypatch, capfd):
    monkeypatch.setattr(server_module, "MOST_CONNECTIONS", 4)
    with contextlib.ExitStack() as stack:
        slow = []
        for _ in range(12):
            connection = stack.enter_context(
                socket.create_connection(("127.0.0.1", server.server_port), timeout=20)
            )
            connection.sendall(b"GET / HTTP/1.1\r\nX: ")
            slow.append(connection)
        assert send(server, "GET / HTTP/1.1")[0] == 200
        # The oldest was closed before the newest was accepted.
        assert answer_of(slow[0])[0] is None
    assert capfd.readouterr().err.count("more than 4 connections at once") == 1


def test_no_descriptors_pauses_and_goes_on(server, monkeypatch, capfd):
    accepts = []
    monkeypatch.setattr(server, "get_request", counted(server.get_request, accepts))
    client = socket.socket()
    client.settimeout(20)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    full = []
    try:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 2, hard)
        )
        with contextlib.suppress(OSError):
            while True:
                full.append(os.dup(client.fileno()))
        client.connect(("127.0.0.1", server.server_port))
        client.sendall(f"GET / HTTP/1.1\r\nHost: localhost:{server.server_port}\r\n\r\n".encode())
        time.sleep(0.5)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in full:
            os.close(descriptor)
    # A pause of 0.2 s after each failure; without it there are thousands.
    assert 1 <= len(accepts) <= 5
    assert answer_of(client)[0] == 200
    client.close()
    error = capfd.readouterr().err
    assert error.count("no more connections can be opened") == 1 and "Traceback" not in error


def counted(function, calls):
    def count():
        calls.append(None)
        return function()

    return count


def test_missing_or_linked_image_gets_404(server, session, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    image = session.image_path(0)
    image.unlink()
    assert send(server, "GET /images/001.jpg HTTP/1.1")[0] == 404
    image.symlink_to(secret)
    status, content = send(server, "GET /images/001.jpg HTTP/1.1")
    assert status == 404 and b"SECRET" not in content
    image.unlink()
    os.mkfifo(image)
    assert send(server, "GET /images/001.jpg HTTP/1.1")[0] == 404
