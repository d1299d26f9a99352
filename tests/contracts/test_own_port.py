"""The port of a gate for parts of the service itself: one suite for every gate."""

import grpc
import pytest

from server.canaries.connection import Unanswered, connected
from server.gate.methods import DECIDE, PREPARE_BID_REQUEST
from server.security.own_credential import OwnCredential
from tests.contracts.gates import OpenedGate, OpenGate, open_gate

__all__ = ["open_gate"]

PART = OwnCredential.make("part")


def _decide(channel: grpc.Channel) -> "grpc.UnaryUnaryMultiCallable[bytes, bytes]":
    return channel.unary_unary(DECIDE.path)


@pytest.fixture
def gate_and_socket(open_gate: OpenGate, tmp_path_factory: pytest.TempPathFactory) -> tuple[OpenedGate, str]:
    gate = open_gate()
    path = tmp_path_factory.mktemp("s") / "s"
    gate.gate.listen_for(PART, path)
    return gate, f"unix:{path}"


def test_with_the_credential_the_caller_is_the_part_and_the_call_is_not_counted(
    gate_and_socket: tuple[OpenedGate, str],
) -> None:
    gate, target = gate_and_socket
    with grpc.insecure_channel(target) as channel:
        sent = _decide(channel).future(b"question", timeout=5, metadata=(PART.header,))
        taken = gate.answer_one(b"answer")
        assert sent.result() == b"answer"
    assert (taken.payload, taken.caller, taken.client) == (b"question", PART.caller, "internal:part")
    assert gate.gate.ended()[DECIDE] == {}


@pytest.mark.parametrize(
    "metadata",
    [(), (("authorization", "Bearer wrong"),), (OwnCredential.make("part").header,), (("authorization", PART.token),)],
    ids=["none", "a wrong one", "another one", "another scheme"],
)
def test_without_it_a_call_is_refused(
    gate_and_socket: tuple[OpenedGate, str], metadata: tuple[tuple[str, str], ...]
) -> None:
    gate, target = gate_and_socket
    with grpc.insecure_channel(target) as channel, pytest.raises(grpc.RpcError) as caught:
        _decide(channel)(b"", timeout=5, metadata=metadata)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert gate.gate.inflight() == 0


def test_on_the_public_port_the_credential_means_nothing(gate_and_socket: tuple[OpenedGate, str]) -> None:
    gate, _ = gate_and_socket
    with grpc.insecure_channel(gate.address) as channel:
        sent = _decide(channel).future(b"", timeout=5, metadata=(PART.header,))
        assert not gate.answer_one(b"").caller.is_own
        sent.result()


@pytest.mark.parametrize("size", [0, 1, 16_384, 70_000, 300_000])
def test_our_own_connection_carries_messages_of_any_size(gate_and_socket: tuple[OpenedGate, str], size: int) -> None:
    gate, target = gate_and_socket
    gate.echoes = True
    message = bytes(number % 251 for number in range(size))
    with connected(target.removeprefix("unix:"), PART.header, 5) as connection:
        for _ in range(3):
            assert connection.call(PREPARE_BID_REQUEST.path, message) == message


def test_our_own_connection_says_when_there_is_no_message(gate_and_socket: tuple[OpenedGate, str]) -> None:
    gate, target = gate_and_socket
    path = target.removeprefix("unix:")
    with (
        connected(path, OwnCredential.make("part").header, 5) as connection,
        pytest.raises(Unanswered, match="refused"),
    ):
        connection.call(DECIDE.path, b"")
    with connected(path, PART.header, 5) as connection:
        gate.gate.close(0)
        with pytest.raises((Unanswered, OSError)):
            connection.call(DECIDE.path, b"")


def test_our_own_connection_does_not_wait_for_ever(gate_and_socket: tuple[OpenedGate, str]) -> None:
    _, target = gate_and_socket
    with (
        connected(target.removeprefix("unix:"), PART.header, 0.05) as connection,
        pytest.raises(OSError, match="timed"),
    ):
        connection.call(DECIDE.path, b"")


def test_a_credential_shows_nothing_of_its_token() -> None:
    assert PART.token not in repr(PART)
    assert repr(PART) == "OwnCredential(internal:part)"
