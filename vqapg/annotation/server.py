"""The annotation page's server: Python's own, on this machine alone, several annotators at once.

- ``GET /``: the page of the session's purpose, one file that loads nothing from elsewhere
- ``GET /api/session?annotator=NAME``: the groups in this annotator's order, what has been judged,
  suggestions
- ``POST /api/judgements``: ``{"annotator", "pair", "field", "value"}``; answered when it is on the
  disk
- ``GET /images/N.jpg``

Nothing that is sent tells which model a pair is of. Every answer closes its connection.
"""

import contextlib
import errno
import json
import re
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from vqapg.annotation.judgements import JudgementLog, annotator_name
from vqapg.annotation.session import Session
from vqapg.annotation.shown import session_for
from vqapg.annotation.whole_page import whole_page
from vqapg.errors import InputError
from vqapg.files import check_readable_file
from vqapg.strict_json import decode, parse_json

LONGEST_BODY = 10_000
# The images are JPEG of at most 1,024 x 1,024 pixels, which never take as much.
LARGEST_IMAGE = 32 << 20
# One more, and the oldest is closed: so slow clients cannot keep others out.
MOST_CONNECTIONS = 64
# Seconds without accepting, where the process or the machine has no room for a connection.
PAUSE = 0.2
NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
# What the page may do: nothing beyond this server.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' "
    "data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


class AnnotationServer(ThreadingHTTPServer):
    """Serves a session at 127.0.0.1.

    Args:
        session: what is judged.
        log: takes the judgements; it is open.
        port: 0 takes any free port.

    Raises:
        InputError: when the port cannot be had.
    """

    daemon_threads = True

    def __init__(self, session: Session, log: JudgementLog, port: int) -> None:
        self.session, self.log = session, log
        self._connections: dict[socket.socket, None] = {}  # open, the oldest first
        self._lock = threading.Lock()
        self._told = False
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            raise InputError(
                f"--port {port}: cannot be had ({error}); give another, or 0 for any free one"
            ) from error
        # What a browser on this machine sends as Host. Another name may lead here by DNS rebinding.
        port_of_url = "" if self.server_port == 80 else f":{self.server_port}"
        self.hosts = {
            f"{name}{end}"
            for name in ("127.0.0.1", "localhost")
            for end in (f":{self.server_port}", port_of_url)
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def get_request(self) -> tuple[socket.socket, Any]:
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in NO_ROOM:
                # The waiting connection wakes the server at once again: without a pause it would
                # spin.
                self._tell(
                    f"no more connections can be opened ({error.strerror}); the oldest are closed"
                )
                self._close_oldest()
                time.sleep(PAUSE)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections[request] = None
            full = len(self._connections) > MOST_CONNECTIONS
        if full:
            self._tell(f"more than {MOST_CONNECTIONS} connections at once; the oldest are closed")
            self._close_oldest()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if isinstance(error, (OSError, RuntimeError, MemoryError)):
            # A browser that went away in the middle is no error.
            if not isinstance(error, ConnectionError):
                self._tell(f"a request was not answered ({error}); reload the page")
        else:
            super().handle_error(request, client_address)

    def _close_oldest(self):
        """Close the oldest connection; its thread then ends by itself."""
        with self._lock:
            oldest = next(iter(self._connections), None)
            self._connections.pop(oldest, None)
        if oldest is not None:
            with contextlib.suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)

    def _tell(self, message):
        if not self._told:
            print(f"warning: {message}; this is said once", file=sys.stderr, flush=True)
        self._told = True


def _image_number(path):
    """The number of the image at *path*, as Session.image_path takes it; None for
    any other path.
    """
    found = re.fullmatch(r"/images/([0-9]{3,9})\.jpg", path)
    return int(found[1]) - 1 if found else None


class _Handler(BaseHTTPRequestHandler):
    timeout = 60

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        refusal = self._refusal()
        if refusal:
            self._send_json(403, {"error": refusal})
        return not refusal

    def _refusal(self):
        """Why this request is not for the page's own server; None when it is."""
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0].strip().lower() not in self.server.hosts:
            return f"this page answers only as {self.server.url}; open it under that address"
        if self.command == "POST":
            origin, site = self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site")
            if origin not in (None, f"http://{hosts[0].strip()}") or site not in (
                None,
                "same-origin",
            ):
                return (
                    f"a judgement comes from the page itself; open {self.server.url} and judge "
                    "there"
                )
        return None

    def do_GET(self) -> None:
        session = self.server.session
        try:
            url = urlsplit(self.path)
            name = parse_qs(url.query, errors="strict").get("annotator", [""])[0]
        except ValueError:
            self._send_json(400, {"error": f"not an address of this page; open {self.server.url}"})
            return
        if url.path == "/":
            self._send_page("page.html" if session.plan is None else "pair_page.html")
        elif url.path == "/api/session":
            try:
                name = annotator_name(name)
            except InputError as error:
                self._send_json(400, {"error": str(error)})
            else:
                self._send_json(200, session_for(session, self.server.log, name))
        elif (number := _image_number(url.path)) in range(len(session.images)):
            self._send_image(session.image_path(number))
        else:
            self._send_json(404, {"error": f"{url.path}: there is no such page"})

    def do_POST(self) -> None:
        if self.path != "/api/judgements":
            self._send_json(404, {"error": f"{self.path}: there is no such page"})
            return
        try:
            # Other sites' pages cannot send this type to us.
            if self.headers.get_content_type() != "application/json":
                raise InputError("a judgement is sent as application/json")
            where, cure = "the judgement", "send it from the page"
            record = parse_json(decode(self._body(), where, cure), where, cure)
            keys = ("annotator", "pair", "field", "value")
            if not isinstance(record, dict) or not all(
                isinstance(record.get(key), str) for key in keys
            ):
                raise InputError(f"a judgement is a JSON object with texts under {', '.join(keys)}")
            value = self.server.log.append(*(record[key] for key in keys))
        except InputError as error:
            self._send_json(400, {"error": str(error)})
        except TimeoutError:
            raise
        except OSError as error:
            print(f"not saved: {error}", file=sys.stderr)
            self._send_json(507, {"error": f"not saved: {error}"})
        else:
            self._send_json(200, {"value": value})

    def _body(self):
        """The request's body. Raises InputError when its length is not told, too long, or not kept
        to.
        """
        lengths = self.headers.get_all("Content-Length", [])
        told = len(lengths) == 1 and re.fullmatch("[0-9]{1,9}", lengths[0])
        if not told or int(lengths[0]) > LONGEST_BODY or "Transfer-Encoding" in self.headers:
            raise InputError(f"a judgement has a Content-Length of at most {LONGEST_BODY}")
        body = self.rfile.read(int(lengths[0]))
        if len(body) < int(lengths[0]):
            raise InputError("the judgement was cut on its way; send it again")
        return body

    def _send_page(self, name):
        try:
            page = whole_page(name)
        except OSError as error:
            self._send_unread(name, error)
        else:
            self._send(200, page.encode(), "text/html; charset=utf-8")

    def _send_image(self, path):
        try:
            check_readable_file(path, "put it back", LARGEST_IMAGE, links=False)
            content = path.read_bytes()
        except InputError as error:
            self._send_json(404, {"error": str(error)})
        except OSError as error:
            self._send_unread(path.name, error)
        else:
            self._send(200, content, "image/jpeg")

    def _send_unread(self, name, error):
        reason = f"{name}: cannot be read now ({error.strerror}); reload the page"
        self._send_json(503, {"error": reason})

    def _send_json(self, status, content):
        self._send(
            status,
            json.dumps(content, ensure_ascii=False, allow_nan=False).encode(),
            "application/json",
        )

    def _send(self, status, body, content_type):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", CONTENT_POLICY)
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: a line for every request would hide what matters."""
