"""The whole service and its records at rest: nothing of a person is in the store's files, unless encryption is off."""

import time
from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import profile_pb2 as prof
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub

from server.app import Service
from server.store.redis.handshake import open_connection
from tests.server.running_service import settings

OCCUPATION, POSTAL_CODE = "glassblower", "ZZ9 9ZZ"


def store_a_person(service: Service) -> None:
    with grpc.insecure_channel(service.address) as channel:
        choice = pref.SetPreferenceRequest(account_id="alice", choice=pref.CHOICE_OPT_IN, language="kw", country="GB")
        PreferenceServiceStub(channel).SetPreference(choice, timeout=10)
        update = prof.UpdateProfileRequest(account_id="alice")
        update.declared.occupation, update.declared.postal_code = OCCUPATION, POSTAL_CODE
        update.update_mask.paths.extend(["occupation", "postal_code"])
        ProfileServiceStub(channel).UpdateProfile(update, timeout=10)


def occupation(service: Service) -> str:
    with grpc.insecure_channel(service.address) as channel:
        found = ProfileServiceStub(channel).GetProfile(prof.GetProfileRequest(account_id="alice"), timeout=10)
        text: str = found.declared.occupation
        return text


def dump(service: Service) -> None:
    """Have the server write its data once more, as a backup would: SAVE is a file of its own."""
    connection = open_connection(service.store.redis, 10)
    assert connection.ask((b"SAVE",), time.monotonic() + 10) == b"OK"
    connection.close()


def files(tmp_path: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()}


@pytest.mark.parametrize(("encrypt_records", "hits"), [("yes", set()), ("no", {"incr.aof", "dump.rdb"})])
def test_a_planted_occupation_is_in_no_file(tmp_path: Path, encrypt_records: str, hits: set[str]) -> None:
    """With encryption off it is in both files, so the search can find it."""
    with Service(settings(tmp_path, encrypt_records=encrypt_records)) as service:
        store_a_person(service)
        dump(service)
        written = files(tmp_path)
        assert occupation(service) == OCCUPATION
    assert "dump.rdb" in written
    planted = (OCCUPATION.encode(), POSTAL_CODE.encode())
    found = {name for name, content in written.items() if any(text in content for text in planted)}
    assert {name.partition("1.")[2] or name for name in found} == hits


@pytest.mark.parametrize("order", [("no", "yes"), ("yes", "no")], ids=["sealed later", "opened later"])
def test_records_are_read_whatever_the_setting_was_when_they_were_written(
    tmp_path: Path, order: tuple[str, str]
) -> None:
    first, second = order
    with Service(settings(tmp_path, encrypt_records=first)) as service:
        store_a_person(service)
    with Service(settings(tmp_path, encrypt_records=second)) as service:
        assert occupation(service) == OCCUPATION
        store_a_person(service)
        assert occupation(service) == OCCUPATION
