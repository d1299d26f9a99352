"""Outside the loopback a listener without TLS and clients stops the start, unless the operator allows it."""

from typing import Any

import pytest

from server.security.doors import Doors, open_to_all, protection
from server.security.exposure import check_exposure, is_local
from server.settings import Settings, SettingsError

OUTSIDE = "0.0.0.0:1"
LISTENERS = ["grpc_address", "metrics_address", "web_address"]
PROTECTED: dict[str, Any] = {"tls_cert": "a", "tls_key": "b", "clients": "c"}


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1:1", True),
        ("127.8.9.10:1", True),
        ("localhost:1", True),
        ("[::1]:1", True),
        ("unix:/run/x.sock", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("192.0.2.1:1", False),
        ("[::ffff:127.0.0.1]:1", False),
        ("ads.example:1", False),
        ("127.0.0.1.example:1", False),
    ],
)
def test_which_addresses_are_local(address: str, local: bool) -> None:
    assert is_local(address) == local


@pytest.mark.fault(row=21)
@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("lacking", ["tls_cert", "clients", None], ids=["no TLS", "no clients", "neither"])
def test_an_unprotected_listener_stops_the_start(listener: str, lacking: str | None) -> None:
    given: dict[str, Any] = {} if lacking is None else {**PROTECTED, lacking: ""}
    expected = rf"ADTARGETING_{listener.upper()}: .* set ADTARGETING_TLS_CERT, .* or ADTARGETING_INSECURE_LISTEN=yes"
    with pytest.raises(SettingsError, match=expected):
        check_exposure(Settings(**{listener: OUTSIDE, **given}))


@pytest.mark.parametrize("listener", LISTENERS)
def test_with_both_or_on_the_loopback_it_starts(listener: str, caplog: pytest.LogCaptureFixture) -> None:
    check_exposure(Settings(**{listener: OUTSIDE, **PROTECTED}))
    check_exposure(Settings())
    assert not caplog.records


def test_where_the_operator_allows_it_there_is_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    check_exposure(Settings(grpc_address=OUTSIDE, metrics_address=OUTSIDE, insecure_listen="yes"))
    (record,) = caplog.records
    assert record.getMessage() == (
        "open outside the loopback: ADTARGETING_GRPC_ADDRESS, ADTARGETING_METRICS_ADDRESS; "
        "ADTARGETING_INSECURE_LISTEN says that something else protects it"
    )


def test_how_a_listener_is_protected() -> None:
    doors: Doors = open_to_all()
    assert protection("127.0.0.1:1", doors) == "plaintext"
    assert protection("unix:/x", doors) == "Unix socket"
