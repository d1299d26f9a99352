"""Who is let in by a gate: a table of what a caller shows, for every RPC, on both gates."""

from collections.abc import Iterator

import grpc
import pytest

from server.gate import health
from server.gate.methods import EXPLAIN, METHODS
from server.gate.port import Method
from server.gate.reflection import REFLECT
from tests.contracts.gates import problem_of
from tests.contracts.guarded_gates import TOKENS, Clientele, GuardedGate, clients_text, guarded_gate, make_clientele
from tests.pki import DAY, Authority, Identity, uri
from tests.rpc import health as health_of
from tests.rpc import reflected_services

UNAUTHENTICATED, PERMISSION_DENIED = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED
LET_IN = grpc.StatusCode.OK
METHOD = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.path.rpartition("/")[2])

AUTHORIZATIONS = {
    "no credential": ((), UNAUTHENTICATED),
    "an unknown token": (("Bearer adt_unknown",), UNAUTHENTICATED),
    "a token revoked on reload": ((f"Bearer {TOKENS['old']}",), UNAUTHENTICATED),
    "another scheme": ((f"Basic {TOKENS['current']}",), UNAUTHENTICATED),
    "no scheme": ((TOKENS["current"],), UNAUTHENTICATED),
    "nothing after the scheme": (("Bearer",), UNAUTHENTICATED),
    "two tokens in one header": ((f"Bearer {TOKENS['current']}, Bearer {TOKENS['next']}",), UNAUTHENTICATED),
    "two headers": ((f"Bearer {TOKENS['current']}", f"Bearer {TOKENS['current']}"), UNAUTHENTICATED),
    "a token of 600 characters": ((f"Bearer {'x' * 600}",), UNAUTHENTICATED),
    "a token of another role": ((f"Bearer {TOKENS['reader']}",), PERMISSION_DENIED),
    "the token": ((f"Bearer {TOKENS['current']}",), LET_IN),
    "the second token of a rotation": ((f"Bearer {TOKENS['next']}",), LET_IN),
    "the scheme in lower case": ((f"bearer {TOKENS['current']}",), LET_IN),
}

CERTIFICATES = {
    "a listed name": ("listed", LET_IN),
    "a name of another role": ("wrong_role", PERMISSION_DENIED),
    "a name that is not listed": ("unlisted", UNAUTHENTICATED),
    "no names, but a client's common name": ("nameless", UNAUTHENTICATED),
    "names of two clients": ("ambiguous", UNAUTHENTICATED),
}


@pytest.fixture(scope="module")
def clientele() -> Clientele:
    return make_clientele()


@pytest.fixture(scope="module", params=["grpcio", "http2"])
def gate(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clientele: Clientele
) -> Iterator[GuardedGate]:
    """A gate whose file has lost the token ``old`` on reload; grpcio asks for certificates only with ``mutual``."""
    asks = request.param == "http2"
    with guarded_gate(request.param, tmp_path_factory.mktemp("gate"), clientele, asks_certificates=asks) as opened:
        opened.clients_path.write_text(clients_text("current", "old"))
        opened.clients.reload()
        with opened.channel() as channel:
            assert outcome(channel, EXPLAIN, f"Bearer {TOKENS['old']}")[0] is LET_IN
        opened.clients_path.write_text(clients_text("current", "next"))
        opened.clients.reload()
        yield opened


@pytest.fixture(scope="module")
def channel(gate: GuardedGate) -> Iterator[grpc.Channel]:
    with gate.channel() as channel:
        yield channel


@pytest.fixture(scope="module", params=["grpcio", "http2"])
def mutual(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clientele: Clientele
) -> Iterator[GuardedGate]:
    """A gate that asks for certificates."""
    with guarded_gate(request.param, tmp_path_factory.mktemp("mutual"), clientele) as opened:
        yield opened


def outcome(channel: grpc.Channel, method: Method, *authorizations: str) -> tuple[grpc.StatusCode, str]:
    """The status of a call, and its message or the answer."""
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method.path)
    sent = call.future(b"", timeout=10, metadata=tuple(("authorization", each) for each in authorizations))
    if sent.exception() is None:
        return LET_IN, sent.result().decode()
    problem = problem_of(sent)
    return problem.code(), problem.details() or ""


@pytest.mark.fault(row=21)
@METHOD
@pytest.mark.parametrize(("authorizations", "status"), AUTHORIZATIONS.values(), ids=AUTHORIZATIONS)
def test_what_a_token_lets_in(
    channel: grpc.Channel, method: Method, authorizations: tuple[str, ...], status: grpc.StatusCode
) -> None:
    code, said = outcome(channel, method, *authorizations)
    assert code is status
    if code is LET_IN:
        assert said == "everything"
    else:
        assert said.startswith(f"this call needs a client with the role {method.role.value}")
        assert not any(token in said for token in TOKENS.values())


@pytest.mark.fault(row=21)
@METHOD
@pytest.mark.parametrize(("name", "status"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_what_a_certificate_lets_in(mutual: GuardedGate, method: Method, name: str, status: grpc.StatusCode) -> None:
    identity: Identity = getattr(mutual.clientele, name)
    with mutual.channel(identity) as channel:
        code, said = outcome(channel, method)
    assert code is status
    assert said == "everything" if code is LET_IN else method.role.value in said


def test_a_token_counts_before_the_certificate(mutual: GuardedGate) -> None:
    with mutual.channel(mutual.clientele.listed) as channel:
        assert outcome(channel, EXPLAIN, "Bearer wrong")[0] is UNAUTHENTICATED
        assert outcome(channel, EXPLAIN, f"Bearer {TOKENS['reader']}")[0] is PERMISSION_DENIED
    with mutual.channel(mutual.clientele.unlisted) as channel:
        assert outcome(channel, EXPLAIN, f"Bearer {TOKENS['current']}")[0] is LET_IN


@pytest.mark.fault(row=21)
@pytest.mark.parametrize("whose", ["expired", "another authority's"])
def test_a_certificate_that_does_not_verify_is_refused_by_tls(mutual: GuardedGate, whose: str) -> None:
    sans = [uri("spiffe://test/everything")]
    expired = mutual.clientele.authority.issue(sans=sans, valid_for=-DAY)
    identity = expired if whose == "expired" else Authority("stranger").issue(sans=sans)
    with mutual.channel(identity) as channel:
        assert outcome(channel, EXPLAIN)[0] is grpc.StatusCode.UNAVAILABLE


def test_the_http2_gate_asks_for_certificates_and_does_not_require_them(
    tmp_path_factory: pytest.TempPathFactory, clientele: Clientele
) -> None:
    with (
        guarded_gate("http2", tmp_path_factory.mktemp("asking"), clientele) as asking,
        asking.channel() as channel,
    ):
        assert outcome(channel, EXPLAIN, f"Bearer {TOKENS['current']}")[0] is LET_IN


def test_health_is_open_and_reflection_is_for_any_client(gate: GuardedGate, channel: grpc.Channel) -> None:
    assert health_of(channel) == "NOT_SERVING"
    for path in REFLECT:
        with pytest.raises(grpc.RpcError) as refused:
            reflected_services(channel, path)
        assert isinstance(refused.value, grpc.Call)
        assert refused.value.code() is UNAUTHENTICATED
        assert health.SERVICE in reflected_services(channel, path, (("authorization", f"Bearer {TOKENS['reader']}"),))


def test_a_token_of_a_megabyte_is_denied_and_harms_no_other_caller(gate: GuardedGate) -> None:
    with gate.channel() as huge:
        assert outcome(huge, EXPLAIN, f"Bearer {'x' * 1_000_000}")[0] is not LET_IN
    with gate.channel() as channel:
        assert outcome(channel, EXPLAIN, f"Bearer {TOKENS['current']}")[0] is LET_IN


def test_denied_calls_are_counted_by_role_and_as_ended_calls(gate: GuardedGate, channel: grpc.Channel) -> None:
    before, ended = gate.admission.denied()["explain"], gate.gate.ended()[EXPLAIN].get(16, 0)
    assert outcome(channel, EXPLAIN)[0] is UNAUTHENTICATED
    assert gate.admission.denied()["explain"] == before + 1
    assert gate.gate.ended()[EXPLAIN][16] == ended + 1
