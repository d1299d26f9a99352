"""A denial is said in the protocol of the call, before anything of it is read."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.gate.http2.gate import Http2Gate
from server.gate.methods import DECIDE, METHODS
from server.gate.port import Method
from server.gate.reflection import REFLECT
from server.security.admission import Admission
from server.security.current_clients import CurrentClients
from server.security.doors import Doors
from server.security.tokens import digest_of
from tests.contracts.guarded_gates import never_slow
from tests.server.gate.conftest import answer_all
from tests.server.gate.http_client import post

TEXT = f"""
[[clients]]
name = "decider"
roles = ["decide"]
token_sha256 = ["{digest_of(b"token").hex()}"]

[[clients]]
name = "scraper"
roles = ["metrics"]
token_sha256 = ["{digest_of(b"other").hex()}"]
"""
DENIALS = pytest.mark.parametrize(
    ("authorization", "code", "status"),
    [
        ("", "unauthenticated", 401),
        ("Bearer wrong", "unauthenticated", 401),
        ("Bearer other", "permission_denied", 403),
    ],
    ids=["nothing", "a wrong token", "another role"],
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path: Path = tmp_path_factory.mktemp("clients") / "clients.toml"
    path.write_text(TEXT)
    current = CurrentClients(str(path))
    gate = Http2Gate("127.0.0.1:0", doors=Doors(Admission(current, slowdown=never_slow()), None, current))
    bound = gate.open()
    gate.decide_with(answer_all)
    yield bound
    gate.close(0)


@DENIALS
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.path.rpartition("/")[2])
@pytest.mark.parametrize("body", [b"{}", b"not JSON"], ids=["JSON", "no JSON"])
def test_connect_with_json(
    guarded: str, method: Method, authorization: str, code: str, status: int, body: bytes
) -> None:
    answer = post(guarded, method.path, body, authorization=authorization)
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert method.role.value in answer.json()["message"]
    assert "details" not in answer.json()


@DENIALS
def test_grpc_web(guarded: str, authorization: str, code: str, status: int) -> None:
    body = struct.pack(">BI", 0, 0)
    answer = post(guarded, DECIDE.path, body, "application/grpc-web+proto", authorization=authorization)
    number = b"16" if code == "unauthenticated" else b"7"
    assert answer.status == 200
    assert b"grpc-status: " + number in answer.body


def test_the_role_lets_in(guarded: str) -> None:
    answer = post(guarded, DECIDE.path, b'{"accountId": "alice"}', authorization="Bearer token")
    assert answer.json()["requestId"] == "alice"


def test_health_is_open_and_what_does_not_exist_is_no_secret(guarded: str) -> None:
    assert post(guarded, "/grpc.health.v1.Health/Check", b"{}").status == 200
    assert post(guarded, "/adtargeting.v1.TargetingService/Nothing", b"{}").status == 404


@pytest.mark.parametrize(
    ("authorization", "denied"), [("", True), ("Bearer other", False)], ids=["no credential", "any client"]
)
def test_reflection_is_for_any_client(guarded: str, authorization: str, denied: bool) -> None:
    question = json.dumps({"listServices": ""}).encode()
    body = struct.pack(">BI", 0, len(question)) + question
    answer = post(guarded, REFLECT[0], body, "application/connect+json", authorization=authorization)
    assert (b"unauthenticated" in answer.body) == denied
