"""A caller has a share of its own: by its name, else by its connection."""

import pytest

from server.security.caller import ANONYMOUS, Caller, client_name, own_caller


@pytest.mark.parametrize(
    ("caller", "share"),
    [
        (Caller("ad-server", "10.0.0.7:50000"), "ad-server"),
        (Caller(connection="10.0.0.7:50000"), "10.0.0.7:50000"),
        (ANONYMOUS, ""),
        (own_caller("pages"), "internal:pages"),
    ],
    ids=["named", "anonymous", "anonymous on a Unix socket", "a part of the service"],
)
def test_whose_share_a_call_takes(caller: Caller, share: str) -> None:
    assert caller.share == share


@pytest.mark.parametrize(
    ("caller", "name"),
    [
        (Caller("ad-server", "10.0.0.7:50000"), "ad-server"),
        (Caller(connection="10.0.0.7:50000"), ""),
        (Caller(connection="ipv6:[::1]:50000"), ""),
        (ANONYMOUS, ""),
        (own_caller("pages"), "internal:pages"),
    ],
    ids=["named", "anonymous", "anonymous, as grpcio writes it", "anonymous on a Unix socket", "a part of the service"],
)
def test_a_share_tells_the_name_but_no_address(caller: Caller, name: str) -> None:
    assert client_name(caller.share) == name
