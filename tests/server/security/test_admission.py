"""The decision at the door, where the table of the gates cannot reach."""

import asyncio
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from server.security.admission import Admission, Denial, Presented
from server.security.audit import Entry, NoAudit
from server.security.audit_assembly import audit_denials
from server.security.caller import Caller
from server.security.certificates import facts_of
from server.security.current_clients import CurrentClients
from server.security.doors import open_doors, protection
from server.security.roles import Role
from server.security.slowdown import Slowdown
from server.security.tokens import digest_of
from server.settings import Settings
from tests.pki import DAY, Authority, dns, uri

AUTHORITY = Authority()
TEXT = f"""
[[clients]]
name = "ads"
roles = ["decide"]
san = ["ads.test"]
token_sha256 = ["{digest_of(b"token").hex()}"]
"""
NAMED = AUTHORITY.issue(sans=[dns("ads.test")]).certificate
WITH_TOKEN = Presented("10.0.0.7:1", [b"Bearer token"])


@pytest.fixture
def current(tmp_path: Path) -> CurrentClients:
    path = tmp_path / "clients.toml"
    path.write_text(TEXT)
    return CurrentClients(str(path))


def test_without_a_clients_file_everyone_may_call() -> None:
    admission = Admission()
    assert admission.is_open
    assert admission.admit("/x", Role.PROFILES, WITH_TOKEN) == Caller(connection="10.0.0.7:1")


def test_a_client_is_named(current: CurrentClients) -> None:
    assert Admission(current).admit("/x", Role.DECIDE, WITH_TOKEN) == Caller("ads", "10.0.0.7:1")


def test_any_client_may_do_what_needs_no_role(current: CurrentClients) -> None:
    admission = Admission(current)
    assert admission.admit("/x", None, WITH_TOKEN) == Caller("ads", "10.0.0.7:1")
    denial = admission.admit("/x", None, Presented())
    assert isinstance(denial, Denial)
    assert denial.role == "any"
    assert denial.message == "this call needs a client: send a bearer token or a certificate that is listed"


def test_a_connection_may_outlive_its_certificate_but_its_calls_do_not(current: CurrentClients) -> None:
    now_s = time.time()
    admission = Admission(current, lambda: now_s)
    assert isinstance(admission.admit("/x", Role.DECIDE, Presented(certificate=NAMED)), Caller)
    now_s += DAY.total_seconds() + 1
    assert isinstance(admission.admit("/x", Role.DECIDE, Presented(certificate=NAMED)), Denial)


def test_a_denial_is_reported_and_counted(current: CurrentClients) -> None:
    admission, told = Admission(current), list[Denial]()
    admission.on_denied = told.append
    denials = [
        admission.admit("/profiles", Role.PROFILES, WITH_TOKEN),
        admission.admit("/profiles", Role.PROFILES, Presented("10.0.0.9:2")),
    ]
    assert told == denials
    assert [(each.rpc, each.role, each.caller) for each in told] == [
        ("/profiles", "profiles", Caller("ads", "10.0.0.7:1")),
        ("/profiles", "profiles", Caller(connection="10.0.0.9:2")),
    ]
    assert admission.denied()["profiles"] == 2
    assert admission.denied()["decide"] == 0


def test_what_is_presented_is_not_shown() -> None:
    assert "token" not in repr(WITH_TOKEN)


def of_version_4() -> bytes:
    der = ssl.PEM_cert_to_DER_cert(NAMED.decode())
    return ssl.DER_cert_to_PEM_cert(der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x03", 1)).encode()


@pytest.mark.parametrize(
    ("pem", "names"),
    [
        (
            lambda: AUTHORITY.issue(sans=[uri("spiffe://A/b"), dns("Ads.Test")]).certificate,
            ("spiffe://A/b", "ads.test"),
        ),
        (lambda: AUTHORITY.issue().certificate, ()),
        (lambda: b"not a certificate", ()),
        (lambda: AUTHORITY.issue(sans=[uri("ads.test"), dns("spiffe://A/b")]).certificate, ()),
        (of_version_4, ()),
    ],
    ids=["URI and DNS", "no names", "no certificate", "names of the other type", "an unknown version"],
)
def test_the_names_of_a_certificate(pem: Callable[[], bytes], names: tuple[str, ...]) -> None:
    assert facts_of(pem()).names == names


@pytest.mark.parametrize(
    ("role", "waits"),
    [(Role.DECIDE, False), (Role.PROFILES, False), (None, True)],
    ids=["let in", "no role", "unknown"],
)
def test_only_those_wait_who_have_not_proved_who_they_are(
    current: CurrentClients, monkeypatch: pytest.MonkeyPatch, role: Role | None, waits: bool
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def fail_often() -> None:
        for _ in range(20):
            denial = admission.admit("/x", role, Presented("10.0.0.7:1") if waits else WITH_TOKEN)
            if isinstance(denial, Denial):
                await admission.slow(denial)

    admission = Admission(current, slowdown=Slowdown(lambda: 0.0))
    # That of this module alone: services of other tests may run in this process.
    monkeypatch.setattr("server.security.slowdown.asyncio", SimpleNamespace(sleep=sleep))
    asyncio.run(fail_often())
    assert bool(slept) == waits


def test_doors_read_their_files_again_when_they_change(tmp_path: Path) -> None:
    certificate, key = AUTHORITY.issue().write(tmp_path)
    clients = tmp_path / "clients.toml"
    clients.write_text(TEXT)
    doors = open_doors(Settings(tls_cert=str(certificate), tls_key=str(key), clients=str(clients)))
    assert protection("127.0.0.1:1", doors) == "TLS, clients"
    assert protection("unix:/x", doors) == "Unix socket, clients"
    clients.write_text(TEXT.replace("decide", "profiles"))
    for _ in range(2):
        doors.reload_if_changed()
    assert isinstance(doors.admission.admit("/x", Role.PROFILES, WITH_TOKEN), Caller)
    clients.write_text(TEXT)
    doors.reload()
    assert isinstance(doors.admission.admit("/x", Role.PROFILES, WITH_TOKEN), Denial)


def test_denials_are_in_the_audit_log(current: CurrentClients) -> None:
    class Kept(NoAudit):
        def enqueue(self, entry: Entry) -> None:
            entries.append(entry)

    admission, entries = Admission(current), list[Entry]()
    audit_denials(admission, Kept())
    admission.admit("/adtargeting.v1.ProfileService/GetProfile", Role.PROFILES, WITH_TOKEN)
    admission.admit("/inspect", Role.INSPECT, Presented("10.0.0.9:2"))
    assert entries == [
        Entry("GetProfile", "ads", "permission_denied", role="profiles"),
        Entry("Inspect", "", "unauthenticated", role="inspect"),
    ]
