"""The annotation page's server: Python's own, on this machine alone, several annotators at once.

- ``GET /``: the page, one file that loads nothing from elsewhere
- ``GET /api/session?annotator=NAME``: the groups in this annotator's order, what has been judged, suggestions
- ``POST /api/judgements``: ``{"annotator", "pair", "field", "value"}``; answered when it is on the disk
- ``GET /images/N.jpg``

Nothing that is sent tells which model a pair is of.
"""

import importlib.resources
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from vqapg.annotation.judgements import annotator_name
from vqapg.annotation.session import suggested_objects
from vqapg.data.question_type import question_type
from vqapg.errors import InputError

LONGEST_BODY = 10_000
# What the page may do: nothing beyond this server.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


class AnnotationServer(ThreadingHTTPServer):
    """Serves *session* and saves into *log*, an open JudgementLog, at 127.0.0.1:*port* (0: any free port).

    Raises InputError when the port cannot be had.
    """

    daemon_threads = True

    def __init__(self, session, log, port):
        self.session, self.log = session, log
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            raise InputError(f"--port {port}: cannot be had ({error}); give another, or 0 for any free one") from error

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request, client_address):
        # A browser that went away in the middle is no error.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def session_for(session, log, annotator):
    """What the page shows to *annotator*."""
    return {
        "annotator": annotator,
        "groups": [
            {
                "id": group.id,
                "image": f"images/{session.image_path(group.image).name}",
                "pairs": [
                    {
                        **pair._asdict(),
                        "suggested_type": question_type(pair.question),
                        "suggested_objects": suggested_objects(pair.question, pair.answer),
                    }
                    for pair in group.pairs
                ],
            }
            for group in session.order(annotator)
        ],
        "judgements": log.of(annotator),
    }


def _image_number(path):
    """The number of the image at *path*, as Session.image_path takes it; None for any other path."""
    found = re.fullmatch(r"/images/([0-9]{3,9})\.jpg", path)
    return int(found[1]) - 1 if found else None


class _Handler(BaseHTTPRequestHandler):
    timeout = 60

    def do_GET(self):
        url = urlsplit(self.path)
        session = self.server.session
        if url.path == "/":
            page = importlib.resources.files("vqapg.annotation").joinpath("page.html").read_bytes()
            self._send(200, page, "text/html; charset=utf-8")
        elif url.path == "/api/session":
            try:
                name = annotator_name(parse_qs(url.query).get("annotator", [""])[0])
            except InputError as error:
                self._send_json(400, {"error": str(error)})
            else:
                self._send_json(200, session_for(session, self.server.log, name))
        elif (number := _image_number(url.path)) in range(len(session.images)):
            self._send(200, session.image_path(number).read_bytes(), "image/jpeg")
        else:
            self._send_json(404, {"error": f"{url.path}: there is no such page"})

    def do_POST(self):
        body = self._body()
        if body is None:
            return
        if self.path != "/api/judgements":
            self._send_json(404, {"error": f"{self.path}: there is no such page"})
            return
        try:
            # Other sites' pages cannot send this type to us.
            if self.headers.get_content_type() != "application/json":
                raise InputError("a judgement is sent as application/json")
            record = json.loads(body)
            value = self.server.log.append(*(record[key] for key in ("annotator", "pair", "field", "value")))
        except (InputError, ValueError, KeyError, TypeError) as error:
            self._send_json(400, {"error": str(error)})
        except OSError as error:
            print(f"not saved: {error}", file=sys.stderr)
            self._send_json(507, {"error": f"not saved: {error}"})
        else:
            self._send_json(200, {"value": value})

    def _body(self):
        """The request's body; None, and answered, when it is too long or its length is not told."""
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch("[0-9]{1,9}", length) or int(length) > LONGEST_BODY:
            self._send_json(400, {"error": f"a judgement has a Content-Length of at most {LONGEST_BODY}"})
            return None
        return self.rfile.read(int(length))

    def _send_json(self, status, content):
        self._send(status, json.dumps(content, ensure_ascii=False).encode(), "application/json")

    def _send(self, status, body, content_type):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", CONTENT_POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        """Nothing: a line for every request would hide what matters."""
