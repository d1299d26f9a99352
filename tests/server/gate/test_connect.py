"""Everything that is not plain gRPC: Connect with JSON and protobuf, gRPC-Web, health and reflection by HTTP."""

import gzip
import json
import shutil
import subprocess
from http.client import HTTPConnection

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.gate.methods import DECIDE, DECIDE_BATCH
from tests.server.gate.http_client import post, request

DECIDED = {"requestId": "alice", "mode": "MODE_LIMITED"}
PROTO = "application/proto"


def test_json_over_http1(address: str) -> None:
    answer = post(address, DECIDE.path, b'{"accountId": "alice"}')
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == DECIDED


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
def test_curl(address: str, version: str) -> None:
    command = ["curl", "-sS", version, "-d", '{"accountId": "alice"}', "-H", "content-type: application/json"]
    told = subprocess.run([*command, f"http://{address}{DECIDE.path}"], capture_output=True, check=True, timeout=20)
    assert json.loads(told.stdout) == DECIDED


def test_protobuf_over_http1(address: str) -> None:
    answer = post(address, DECIDE.path, pb.DecideRequest(account_id="alice").SerializeToString(), PROTO)
    assert answer.headers["content-type"] == PROTO
    assert pb.DecideResponse.FromString(answer.body).request_id == "alice"


def test_grpc_web(address: str) -> None:
    message = pb.DecideRequest(account_id="alice").SerializeToString()
    body = b"\0" + len(message).to_bytes(4) + message
    answer = post(address, DECIDE.path, body, "application/grpc-web+proto")
    size = int.from_bytes(answer.body[1:5])
    assert pb.DecideResponse.FromString(answer.body[5 : 5 + size]).request_id == "alice"
    trailers = answer.body[5 + size :]
    assert trailers[0] == 0x80
    assert b"grpc-status: 0" in trailers


def test_a_refusal_is_an_error_of_connect(address: str) -> None:
    answer = post(address, DECIDE.path, b'{"accountId": "refused"}')
    assert answer.status == 400
    assert answer.json()["code"] == "invalid_argument"
    assert answer.json()["message"] == "account_id: must have at most 256 bytes"


BAD_JSON = {
    "not JSON": (b'{"accountId": "secret-', "a syntax error at line 1, column 15"),
    "not an object": (b'["secret"]', "the request has an unknown member, or is no object"),
    "an unknown member": (b'{"accountId": "a", "childDirectd": true, "x": "secret"}', "the request has an unknown"),
    "one of a part": (
        b'{"signals": {"[secret]": 1}}',
        "signals has an unknown member, or is no object; check the names",
    ),
    "a wrong type": (b'{"accountId": {"secret": 1}}', "account_id has a wrong type"),
    "the text of an error": (
        b'{"signals": "Failed to parse secret field: "}',
        "signals has an unknown member, or is no object",
    ),
    "an unknown enumeration value": (
        b'{"signals": {"ageTreatment": "secret"}}',
        "signals.age_treatment has a wrong type or value",
    ),
    "a member twice": (b'{"accountId": "secret", "accountId": ""}', "the request has a wrong type or value, or a"),
    "nested beyond reason": (b'{"signals":' * 50 + b"1" + b"}" * 50, "signals has an unknown member"),
    "not UTF-8": (b'{"accountId": "secret\xff"}', "it is not UTF-8"),
    "a long one": (
        b'{"accountId": "secret", "cookieHeader": "' + b"x" * 20_000 + b'",\n}',
        "a syntax error at line 2, column 1",
    ),
}


@pytest.mark.parametrize(("body", "said"), BAD_JSON.values(), ids=BAD_JSON)
def test_malformed_json_is_refused_without_its_text(address: str, body: bytes, said: str) -> None:
    answer = post(address, DECIDE.path, body)
    assert answer.json()["message"].startswith(f"not valid JSON of the request's message: {said}")
    assert (answer.status, answer.json()["code"]) == (400, "invalid_argument")
    assert b"secret" not in answer.body
    assert b"childDirectd" not in answer.body


def test_long_json_is_served(address: str) -> None:
    body = json.dumps({"accountId": "alice", "cookieHeader": "x" * 40_000}).encode()
    assert post(address, DECIDE.path, body).json() == DECIDED


def test_gzip_comes_in_and_goes_out(address: str) -> None:
    body = gzip.compress(b'{"accountId": "alice"}')
    answer = post(address, DECIDE.path, body, content_encoding="gzip", accept_encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.body)) == DECIDED


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (gzip.compress(bytes(8 * 1024 * 1024)), 429, "resource_exhausted"),
        (b"not gzip", 400, "invalid_argument"),
    ],
    ids=["a bomb", "no gzip"],
)
def test_what_cannot_be_decompressed_is_refused_in_our_words(address: str, body: bytes, status: int, code: str) -> None:
    answer = post(address, DECIDE.path, body, content_encoding="gzip")
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert "Error" not in answer.json()["message"]


def test_each_rpc_has_its_own_limit_of_size(address: str) -> None:
    body = b'{"accountId": "' + b"a" * (DECIDE.max_bytes + 100) + b'"}'
    assert post(address, DECIDE.path, body).status == 429
    assert post(address, DECIDE.path, bytes(DECIDE.max_bytes * 2)).status == 429
    # What is announced as longer than any never reaches Python.
    assert status_of_announced(address, DECIDE.path, 5 * 1024 * 1024) == 413
    assert post(address, DECIDE_BATCH.path, b'{"requests": "' + b"a" * DECIDE.max_bytes * 2 + b'"}').status == 400


def status_of_announced(address: str, path: str, size: int) -> int:
    """The HTTP status for a body of which only the length is sent."""
    connection = HTTPConnection(address, timeout=10)
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_health_by_json(address: str) -> None:
    answer = post(address, "/grpc.health.v1.Health/Check", b"{}")
    assert answer.json() == {"status": "NOT_SERVING"}
    unknown = post(address, "/grpc.health.v1.Health/Check", b'{"service": "x"}')
    assert (unknown.status, unknown.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("content_type", "status"), [("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("", 415)]
)
def test_another_content_type_is_refused(address: str, content_type: str, status: int) -> None:
    answer = post(address, DECIDE.path, b"{}", content_type)
    assert (answer.status, answer.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert answer.body == b"send content-type: application/json, or application/proto\n"


def test_an_unknown_path_is_not_found(address: str) -> None:
    for answer in (post(address, "/no.Such/Service", b"{}"), request(address, "POST", "/", b"")):
        assert (answer.status, answer.body.startswith(b"no RPC has this path; one is /adtargeting.v1.")) == (404, True)
