"""A thousand ids go through every call; none of them is in anything that is written, or in an error."""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import grpc
import pytest
from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import profile_pb2 as prof
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub
from google.protobuf.message import Message
from prometheus_client import generate_latest

from server.app import Service
from server.calls import audited
from server.security import slowdown
from tests.faults.metrics_reader import CLIENTS, TOKEN
from tests.server.calls.direct_service import viewed
from tests.server.running_service import settings
from tests.server.tracing.otlp_receiver import Receiver, receiving

IDS = [f"planted-{number:04}" for number in range(1000)]
PLANTED = re.compile(r"planted-\d{4}")
TOO_LONG = 300


class Callers:
    """Every call of the contract, each about one id, in right and wrong forms. Keeps what errors say."""

    def __init__(self, channel: grpc.Channel, token: str = "") -> None:
        self.errors: list[str] = []
        self._metadata = [("authorization", f"Bearer {token}")] if token else []
        self._targeting = TargetingServiceStub(channel)
        self._preferences = PreferenceServiceStub(channel)
        self._profiles = ProfileServiceStub(channel)

    def calls(self) -> list[Callable[[str], tuple[Any, Message]]]:
        """The calls and their requests; each takes the id that it is about."""
        targeting, preferences, profiles = self._targeting, self._preferences, self._profiles
        gpc = pb.PrivacySignals(global_privacy_control=True)
        signalled: dict[str, Any] = {"cookie_header": f"MUID={'0' * 31}1", "signals": gpc}
        out: dict[str, Any] = {"choice": pref.CHOICE_OPT_OUT, "source": pref.SOURCE_SUPPORT}
        update = prof.UpdateProfileRequest
        return [
            lambda who: (targeting.Decide, pb.DecideRequest(account_id=who, device_id=who, **signalled)),
            lambda who: (targeting.Decide, pb.DecideRequest(account_id=who * TOO_LONG)),
            lambda who: (targeting.Explain, pb.DecideRequest(account_id=who, linked_account_ids=[who + "l"])),
            lambda who: (targeting.Explain, pb.DecideRequest(account_id=who, client={"country": who})),
            lambda who: (targeting.PrepareBidRequest, pb.PrepareBidRequestRequest(bid_request=who.encode())),
            lambda who: (preferences.SetPreference, pref.SetPreferenceRequest(account_id=who, change_id=who, **out)),
            lambda who: (preferences.SetPreference, pref.SetPreferenceRequest(device_id=who, ticket=who * 9, **out)),
            lambda who: (preferences.SetPreference, pref.SetPreferenceRequest(account_id=who, country=who, **out)),
            lambda who: (preferences.GetPreferences, pref.GetPreferencesRequest(account_id=who)),
            lambda who: (preferences.GetPreferences, pref.GetPreferencesRequest(account_id=who * TOO_LONG)),
            lambda who: (profiles.GetProfile, prof.GetProfileRequest(device_id=who)),
            lambda who: (profiles.UpdateProfile, update(account_id=who, update_mask={"paths": [who]})),
            lambda who: (profiles.DeleteProfile, prof.DeleteProfileRequest(account_id=who)),
            lambda who: (profiles.RecordActivity, prof.RecordActivityRequest(activities=[viewed(who, account_id=who)])),
        ]

    def make_all(self) -> None:
        """Make one call about each id."""
        calls = self.calls()
        for number, who in enumerate(IDS):
            try:
                rpc, request = calls[number % len(calls)](who)
                rpc(request, metadata=self._metadata, timeout=20)
            except grpc.RpcError as problem:
                self.errors.append(f"{problem.code()} {problem.details()} {problem.trailing_metadata()}")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def service(tmp_path: Path, receiver: Receiver) -> Iterator[Service]:
    log = str(tmp_path / "audit.log")
    with Service(settings(tmp_path, audit_log=log, traces=receiver.url, traces_one_in=1)) as running:
        yield running


@pytest.mark.fault(row=20)
@pytest.mark.parametrize("protected", [True, False], ids=["as it is", "the audit log with ids"])
def test_a_thousand_ids_are_written_nowhere(
    *,
    protected: bool,
    service: Service,
    receiver: Receiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    if not protected:
        monkeypatch.setattr(service.store.pseudonyms.__class__, "owner", lambda _, subject: subject.id.encode())
        monkeypatch.setattr(audited, "pseudonym_text", partial(bytes.decode, errors="replace"))
    with grpc.insecure_channel(service.address) as channel:
        callers = Callers(channel)
        callers.make_all()
    with urlopen(f"http://{service.metrics_address}/metrics", timeout=10) as answer:
        metrics = answer.read().decode()
    service.close()
    audit = (tmp_path / "audit.log").read_text()
    assert len(audit.splitlines()) > len(IDS) / 2
    assert len(callers.errors) > len(IDS) / 4
    traces = b"".join(request.SerializeToString() for request in receiver.requests).decode("latin-1")
    assert len(receiver.spans()) > len(IDS)
    written = [audit, metrics, traces, caplog.text, *capfd.readouterr(), *callers.errors]
    found = {name for text in written for name in PLANTED.findall(text)}
    assert bool(found) is not protected


@pytest.mark.fault(row=20)
@pytest.mark.parametrize("gate", ["http2", "grpcio"])
def test_nor_are_those_of_calls_that_are_denied(
    gate: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A token may be an id by mistake: it is nowhere either."""
    caplog.set_level("DEBUG")
    monkeypatch.setattr(slowdown, "LONGEST_S", 0)
    clients, log = tmp_path / "clients.toml", tmp_path / "audit.log"
    clients.write_text(CLIENTS)
    with Service(settings(tmp_path, gate=gate, clients=str(clients), audit_log=str(log))) as service:
        for token in (TOKEN, IDS[0]):
            with grpc.insecure_channel(service.address) as channel:
                callers = Callers(channel, token)
                callers.make_all()
                assert len(callers.errors) == len(IDS)
                assert not PLANTED.search("".join(callers.errors))
        metrics = generate_latest(service.metrics.registry).decode()
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert [entry["outcome"] for entry in entries] == ["permission_denied"] * 1000 + ["unauthenticated"] * 1000
    assert {entry["actor"] for entry in entries} == {"reads-metrics", ""}
    assert not any("subjects" in entry for entry in entries)
    assert not PLANTED.search(log.read_text() + metrics + caplog.text + "".join(capfd.readouterr()))
