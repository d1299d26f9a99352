"""Gates with TLS and a clients file, whose calls are answered by themselves; and the clients that call them."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

import grpc

from server.gate.grpcio import GrpcioGate
from server.gate.http2.gate import Http2Gate
from server.gate.port import Call, DecisionLane, Gate
from server.security.admission import Admission
from server.security.current_clients import CurrentClients
from server.security.doors import Doors
from server.security.slowdown import Slowdown
from server.security.tls import CurrentTls, TlsFiles
from server.security.tokens import digest_of
from tests.pki import HERE, Authority, Identity, dns, uri

TOKENS = {name: f"adt_{name}-{'x' * 40}" for name in ("current", "next", "old", "reader", "decider")}
EVERY_ROLE = '["decide", "explain", "preferences", "profiles"]'


def clients_text(*tokens: str, extra: str = "") -> str:
    """A file with a client of every role that has these tokens, and clients of one role or of certificates."""
    return f"""
[[clients]]
name = "everything"
roles = {EVERY_ROLE}
token_sha256 = {[digest_of(TOKENS[token].encode()).hex() for token in tokens]}
san = ["spiffe://test/everything"]

[[clients]]
name = "only-metrics"
roles = ["metrics"]
token_sha256 = ["{digest_of(TOKENS["reader"].encode()).hex()}"]
san = ["metrics.test"]
{extra}"""


def never_slow() -> Slowdown:
    """A slowdown to which every failure is the first in a long time."""
    return Slowdown(count(step=1000.0).__next__)


class Clientele(NamedTuple):
    """The authority and the certificates of clients."""

    authority: Authority
    listed: Identity
    wrong_role: Identity
    unlisted: Identity
    nameless: Identity
    ambiguous: Identity


def make_clientele() -> Clientele:
    authority = Authority("clients")
    return Clientele(
        authority,
        authority.issue(sans=[uri("spiffe://test/everything")]),
        authority.issue(sans=[dns("Metrics.Test")]),
        authority.issue(sans=[uri("spiffe://test/nobody")]),
        authority.issue(name="everything"),
        authority.issue(sans=[uri("spiffe://test/everything"), dns("metrics.test")]),
    )


class GuardedGate:
    """An open gate that answers every call with its caller's name."""

    def __init__(self, kind: str, directory: Path, clientele: Clientele, *, asks_certificates: bool = True) -> None:
        self.clientele = clientele
        self.servers = Authority("servers")
        self.directory = directory
        self.clients_path = directory / "clients.toml"
        self.clients_path.write_text(clients_text("current", "next"))
        certificate, key = self.servers.issue(sans=HERE).write(directory)
        client_ca = directory / "clients-ca.pem"
        client_ca.write_bytes(clientele.authority.certificate)
        self.clients = CurrentClients(str(self.clients_path))
        self.tls = CurrentTls(TlsFiles(str(certificate), str(key), str(client_ca) if asks_certificates else ""))
        self.admission = Admission(self.clients, slowdown=never_slow())
        self.doors = Doors(self.admission, self.tls, self.clients)
        self.gate = self._make(kind)
        self.address = self.gate.open()
        self.gate.decide_with(_answer_decisions)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._answer_others)
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        self._thread.join()
        self.gate.close(0)

    def channel(self, identity: Identity | None = None) -> grpc.Channel:
        """A channel with a connection of its own, which trusts every server that this gate has been."""
        credentials = grpc.ssl_channel_credentials(
            self.servers.certificate, *((identity.key, identity.certificate) if identity else ())
        )
        return grpc.secure_channel(self.address, credentials, (("grpc.use_local_subchannel_pool", 1),))

    def renew(self) -> None:
        """Write a new server certificate, and have it read."""
        self.servers.issue(sans=HERE).write(self.directory)
        self.tls.reload()

    def _make(self, kind: str) -> Gate:
        if kind == "grpcio":
            return GrpcioGate("127.0.0.1:0", doors=self.doors)
        return Http2Gate("127.0.0.1:0", doors=self.doors)

    def _answer_others(self) -> None:
        while not self._ending.is_set():
            if (call := self.gate.take(0.05)) is not None:
                self.gate.answer(call, _answer(call))


async def _answer_decisions(lane: DecisionLane) -> None:
    while True:
        await lane.arrival()
        while lane.waiting:
            call = lane.waiting.popleft()
            lane.answer(call, _answer(call))


def _answer(call: Call) -> bytes:
    return call.caller.name.encode()


@contextmanager
def guarded_gate(
    kind: str, directory: Path, clientele: Clientele, *, asks_certificates: bool = True
) -> Iterator[GuardedGate]:
    with ExitStack() as closing:
        gate = GuardedGate(kind, directory, clientele, asks_certificates=asks_certificates)
        closing.callback(gate.close)
        yield gate
