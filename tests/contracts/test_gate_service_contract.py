"""What every gate does beside calls: listening, health, reflection, closing. One suite for all of them."""

import threading
from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2

from server.gate import health as gate_health
from server.gate.methods import DECIDE, SERVICES, SET_PREFERENCE
from server.gate.port import HEALTH_CHECKED
from server.gate.reflection import REFLECT
from server.listening import ListenError
from tests.contracts.gates import (
    OpenedGate,
    OpenGate,
    gate_and_channel,
    open_gate,
    send,
    status_of,
    wait_until,
)
from tests.rpc import health, reflected_services

__all__ = ["gate_and_channel", "open_gate"]

Fixture = tuple[OpenedGate, grpc.Channel]


def test_health_begins_not_serving_and_follows(gate_and_channel: Fixture) -> None:
    gate, channel = gate_and_channel
    for service in HEALTH_CHECKED:
        assert health(channel, service) == "NOT_SERVING"
        gate.gate.set_health(service, serving=True)
        assert health(channel, service) == "SERVING"
    gate.gate.set_health(HEALTH_CHECKED[1], serving=False)
    assert health(channel, HEALTH_CHECKED[1]) == "NOT_SERVING"


def test_the_health_of_an_unknown_service_is_not_found(gate_and_channel: Fixture) -> None:
    _, channel = gate_and_channel
    check: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(gate_health.CHECK)
    sent = check.future(health_pb2.HealthCheckRequest(service="x").SerializeToString(), timeout=5)
    assert status_of(sent) is grpc.StatusCode.NOT_FOUND
    assert status_of(check.future(b"\xff", timeout=5)) is grpc.StatusCode.INVALID_ARGUMENT


def test_the_health_of_all_services_is_listed(gate_and_channel: Fixture) -> None:
    gate, channel = gate_and_channel
    gate.gate.set_health("", serving=True)
    listing: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(gate_health.LIST)
    statuses = gate_health.ListResponse.FromString(listing(b"", timeout=5)).statuses
    assert {name: status.status for name, status in statuses.items()} == {
        name: 2 if name else 1 for name in HEALTH_CHECKED
    }


def watched(channel: grpc.Channel, service: str) -> Iterator[int]:
    watch: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(gate_health.WATCH)
    request = health_pb2.HealthCheckRequest(service=service).SerializeToString()
    for answer in watch(request, timeout=30):
        yield health_pb2.HealthCheckResponse.FromString(answer).status


def test_a_watch_of_health_tells_each_change(gate_and_channel: Fixture) -> None:
    gate, channel = gate_and_channel
    seen = watched(channel, "")
    status = health_pb2.HealthCheckResponse
    assert next(seen) == status.NOT_SERVING
    gate.gate.set_health("", serving=True)
    assert next(seen) == status.SERVING
    gate.gate.set_health(HEALTH_CHECKED[1], serving=True)
    gate.gate.set_health("", serving=False)
    assert next(seen) == status.NOT_SERVING
    assert next(watched(channel, "unknown")) == status.SERVICE_UNKNOWN


@pytest.mark.parametrize("path", REFLECT)
def test_reflection_lists_the_services(gate_and_channel: Fixture, path: str) -> None:
    _, channel = gate_and_channel
    assert set(SERVICES) <= reflected_services(channel, path)


def test_a_port_in_use_is_one_clear_error(open_gate: OpenGate, capfd: pytest.CaptureFixture[str]) -> None:
    opened = open_gate()
    with pytest.raises(ListenError, match="ADTARGETING_GRPC_ADDRESS"):
        open_gate(opened.address)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("address", ["nonsense", "192.0.2.1:0", "no-such-host.invalid:0"])
def test_an_address_that_is_none_of_this_machine_is_one_too(
    open_gate: OpenGate, address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ListenError, match="ADTARGETING_GRPC_ADDRESS"):
        open_gate(address)
    assert capfd.readouterr().err == ""


def test_the_lag_of_the_loop_is_told(open_gate: OpenGate) -> None:
    told: list[float] = []
    gate = open_gate()
    gate.gate.observe_lag_with(told.append)
    wait_until(lambda: len(told) >= 2)
    assert min(told) >= 0


@pytest.mark.fault(row=11)
def test_closing_refuses_new_calls_and_lets_the_others_end_within_the_grace(open_gate: OpenGate) -> None:
    gate = open_gate()
    with grpc.insecure_channel(gate.address) as channel:
        gate.gate.set_health("", serving=True)
        sent = send(channel, DECIDE)
        call = gate.take_one()
        closing = threading.Thread(target=gate.gate.close, args=(60,))
        closing.start()
        wait_until(lambda: health(channel) == "NOT_SERVING")
        gate.gate.set_health("", serving=True)
        assert health(channel) == "NOT_SERVING"
        assert status_of(send(channel, SET_PREFERENCE)) is grpc.StatusCode.UNAVAILABLE
        gate.gate.answer(call, b"in time")
        assert sent.result() == b"in time"
        closing.join(timeout=30)
        assert not closing.is_alive()


@pytest.mark.fault(row=11)
def test_a_watch_of_health_does_not_keep_a_gate_open(open_gate: OpenGate) -> None:
    gate = open_gate()
    with grpc.insecure_channel(gate.address) as channel:
        seen = watched(channel, "")
        next(seen)
        closing = threading.Thread(target=gate.gate.close, args=(600,))
        closing.start()
        closing.join(timeout=30)
        assert not closing.is_alive()
        with pytest.raises(grpc.RpcError):
            list(seen)


def test_closing_twice_does_nothing_more(open_gate: OpenGate) -> None:
    gate = open_gate()
    gate.gate.close(0)
    gate.gate.close(0)
