"""TLS on both gates: what it keeps out, and new files without a lost call."""

import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import grpc
import pytest

from server.gate.methods import DECIDE, EXPLAIN
from tests.contracts.gates import problem_of
from tests.contracts.guarded_gates import TOKENS, GuardedGate, guarded_gate, make_clientele
from tests.pki import HERE, Authority
from tests.waiting import eventually

RENEWALS = 4
CALLERS = 4
TOKEN = (("authorization", f"Bearer {TOKENS['current']}"),)


@pytest.fixture(params=["grpcio", "http2"])
def gate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedGate]:
    directory = tmp_path_factory.mktemp("gate")
    with guarded_gate(request.param, directory, make_clientele(), asks_certificates=False) as opened:
        yield opened


def served_certificate(address: str) -> str:
    host, _, port = address.rpartition(":")
    return ssl.get_server_certificate((host, int(port)), timeout=10).replace("\n", "")


def on_disk(gate: GuardedGate) -> str:
    return (gate.directory / "server.pem").read_text().replace("\n", "")


class Caller(threading.Thread):
    """Calls without a pause, over one channel or over a new connection each time."""

    def __init__(self, gate: GuardedGate, *, reconnects: bool) -> None:
        super().__init__()
        self._gate = gate
        self._reconnects = reconnects
        self._ending = threading.Event()
        self.outcomes: Counter[str] = Counter()
        self.start()

    def run(self) -> None:
        channel = self._gate.channel()
        while not self._ending.is_set():
            for method in (DECIDE, EXPLAIN):
                call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method.path)
                sent = call.future(b"", timeout=10, metadata=TOKEN)
                self.outcomes["OK" if sent.exception() is None else str(problem_of(sent))] += 1
            if self._reconnects:
                channel.close()
                channel = self._gate.channel()
        channel.close()

    def end(self) -> None:
        self._ending.set()
        self.join()


@pytest.mark.fault(row=21)
def test_a_renewed_certificate_is_served_and_no_call_is_lost(gate: GuardedGate) -> None:
    callers = [Caller(gate, reconnects=bool(number % 2)) for number in range(CALLERS)]
    for _ in range(RENEWALS):
        counts = [caller.outcomes.total() for caller in callers]
        gate.renew()
        assert served_certificate(gate.address) == on_disk(gate)
        eventually(lambda: all(each.outcomes.total() > count + 20 for each, count in zip(callers, counts, strict=True)))  # noqa: B023  # used at once
    for caller in callers:
        caller.end()
    assert {outcome for caller in callers for outcome in caller.outcomes} == {"OK"}


def test_files_that_do_not_fit_change_nothing(gate: GuardedGate, caplog: pytest.LogCaptureFixture) -> None:
    before = served_certificate(gate.address)
    (gate.directory / "server.key").write_bytes(Authority().issue(sans=HERE).key)
    gate.tls.reload()
    assert "TLS files refused, the current ones stay: ADTARGETING_TLS_KEY:" in caplog.text
    assert served_certificate(gate.address) == before


@pytest.mark.parametrize("trusts", [lambda gate: Authority("stranger").certificate, None], ids=["a stranger", "no TLS"])
def test_a_caller_that_does_not_trust_the_server_sends_nothing(
    gate: GuardedGate, trusts: Callable[[GuardedGate], bytes] | None
) -> None:
    credentials = None if trusts is None else grpc.ssl_channel_credentials(trusts(gate))
    opened = (
        grpc.insecure_channel(gate.address) if credentials is None else grpc.secure_channel(gate.address, credentials)
    )
    with opened as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXPLAIN.path)
        sent = call.future(b"", timeout=10, metadata=TOKEN)
        assert sent.exception() is not None
        assert problem_of(sent).code() is grpc.StatusCode.UNAVAILABLE
    assert gate.gate.ended()[EXPLAIN] == {}
