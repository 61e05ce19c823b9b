"""Requests to the annotation server, as its pages send them."""

import http.client
import json


def request(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.headers, content


def post(port, record, content_type="application/json"):
    body = record if isinstance(record, (str, bytes)) else json.dumps(record)
    status, _, content = request(
        port, "POST", "/api/judgements", body, {"Content-Type": content_type}
    )
    return status, json.loads(content)


def judgement(**change):
    return {"annotator": "anna", "pair": "g1p1", "field": "consistency", "value": "1"} | change


def get(port, path):
    status, _, content = request(port, "GET", path)
    return status, json.loads(content)
