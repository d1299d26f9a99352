"""The listening socket: each reason why there is none is told apart, and names the setting."""

import socket
from pathlib import Path

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


def unix(path: Path, mode: int = 0o660) -> ListenAddress:
    return ListenAddress("ADTARGETING_GRPC_ADDRESS", f"unix:{path}", mode)


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o777])
def test_a_unix_socket_has_its_mode_from_the_first_moment(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "s"
    with listen(unix(path, mode)) as listener:
        assert path.stat().st_mode & 0o777 == mode
        assert unix(path).bound(listener) == f"unix:{path}"


def test_a_socket_that_a_former_process_left_is_replaced_and_one_in_use_is_not(tmp_path: Path) -> None:
    path = tmp_path / "s"
    listen(unix(path)).close()
    with listen(unix(path)), pytest.raises(ListenError, match=f"cannot listen on unix:{path}: it is in use"):
        listen(unix(path))


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("precious")
    with pytest.raises(ListenError, match=r"it is in use|Address already in use"):
        listen(unix(path))
    assert path.read_text() == "precious"


def test_a_socket_that_cannot_be_asked_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        with pytest.raises(ListenError, match="cannot listen on"):
            listen(unix(path))
    assert path.is_socket()


def test_the_port_that_was_chosen_is_told() -> None:
    with listen(at("127.0.0.1:0")) as listener:
        assert at("127.0.0.1:0").bound(listener) == f"127.0.0.1:{listener.getsockname()[1]}"
