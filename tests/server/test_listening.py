"""The listening socket: each reason why there is none is told apart, and names the setting."""

import socket

import pytest

from server.listening import ListenAddress, ListenError, listen


def at(address: str) -> ListenAddress:
    return ListenAddress("ADTARGETING_GRPC_ADDRESS", address)


REFUSALS = {
    "malformed": ("nonsense", "must be host:port"),
    "no host": (":0", "must be host:port"),
    "no port": ("127.0.0.1:", "must be host:port"),
    "port out of range": ("127.0.0.1:65536", "must be host:port"),
    "unknown name": ("no-such-host.invalid:0", "cannot be resolved"),
    "impossible name": (f"{'x' * 300}.example:0", "cannot be resolved"),
    "not of this machine": ("192.0.2.1:0", "no such address"),
}


@pytest.mark.parametrize(("address", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_why_nothing_can_listen_there(address: str, reason: str) -> None:
    with pytest.raises(ListenError, match=f"^ADTARGETING_GRPC_ADDRESS: .*{reason}"):
        listen(at(address))


def test_a_port_in_use_is_told_as_such() -> None:
    with listen(at("127.0.0.1:0")) as taken, pytest.raises(ListenError, match="in use"):
        listen(at(f"127.0.0.1:{taken.getsockname()[1]}"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_it_listens_and_does_not_block(host: str) -> None:
    with listen(at(f"{host}:0")) as listener:
        assert not listener.getblocking()
        with socket.create_connection(listener.getsockname()[:2], timeout=5):
            pass
