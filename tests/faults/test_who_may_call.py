"""No plaintext listener opens outside the loopback by accident, and only clients with a role may call."""

from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server import app
from server.app import Service
from server.settings import SettingsError
from tests.faults.metrics_reader import CLIENTS, TOKEN
from tests.server.running_service import ALICE, settings

pytestmark = pytest.mark.fault(row=21)

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
OUTSIDE = "[::ffff:127.0.0.1]:0"
"""The loopback in a form that the service does not take for it, so that the test exposes no port."""


@PROTECTED
def test_no_plaintext_listener_opens_outside_the_loopback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(app, "check_exposure", lambda _: None)
    service = Service(settings(tmp_path, grpc_address=OUTSIDE))
    if protected:
        with pytest.raises(SettingsError, match=r"^ADTARGETING_GRPC_ADDRESS: .*ADTARGETING_INSECURE_LISTEN=yes"):
            service.__enter__()
        return
    with service, grpc.insecure_channel(service.address) as channel:
        assert TargetingServiceStub(channel).Decide(ALICE, timeout=10).mode == pb.MODE_LIMITED


@PROTECTED
@pytest.mark.parametrize(
    ("token", "denial"),
    [
        pytest.param("", grpc.StatusCode.UNAUTHENTICATED, id="no token"),
        pytest.param(TOKEN, grpc.StatusCode.PERMISSION_DENIED, id="a token of another role"),
    ],
)
def test_a_caller_without_the_role_is_denied(
    tmp_path: Path, token: str, denial: grpc.StatusCode, protected: bool
) -> None:
    """With the protection off there is no clients file, so every caller may call."""
    clients = tmp_path / "clients.toml"
    clients.write_text(CLIENTS, encoding="ascii")
    metadata = [("authorization", f"Bearer {token}")] if token else []
    with (
        Service(settings(tmp_path, clients=str(clients) if protected else "")) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        decide = TargetingServiceStub(channel).Decide
        if not protected:
            assert decide(ALICE, metadata=metadata, timeout=10).mode == pb.MODE_LIMITED
            return
        with pytest.raises(grpc.RpcError) as caught:
            decide(ALICE, metadata=metadata, timeout=10)
        assert caught.value.code() is denial
