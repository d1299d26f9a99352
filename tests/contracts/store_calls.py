"""Calls on a store, as its contract makes them, and the people they are about."""

from typing import TypedDict, Unpack

from server.store.ports import RecordChange
from targeting.model import Subject, SubjectKind
from targeting.records.preference import Choice, Preference, encode_preference
from tests.server.store.conftest import Store
from tests.server.store.fake_store import PSEUDONYMS

BUDGET_S = 5.0
ANNE = Subject(SubjectKind.ACCOUNT, "anne")
BEN = Subject(SubjectKind.ACCOUNT, "ben")
PHONE = Subject(SubjectKind.DEVICE, "anne")
OWNER = PSEUDONYMS.owner(ANNE)
DAY_S = 86_400


def preference(choice: Choice = Choice.NONE, version: int = 1) -> bytes:
    return encode_preference(Preference(choice=choice, version=version), OWNER)


class Recorded(TypedDict, total=False):
    """What is recorded of a subject, by name."""

    profile: bytes | None
    seen: bytes | None


class Values(Recorded, total=False):
    """All values of a subject, by name."""

    preference: bytes | None


NEW: dict[str, Recorded] = {"profile": {"profile": b"new"}, "seen": {"seen": b"new"}}


def change(store: Store, subject: Subject = ANNE, **values: Unpack[Values]) -> RecordChange:
    """A change made from what the store holds now."""
    held = store.read([subject], BUDGET_S)[0]
    return RecordChange(subject, held, **values, profile_ttl_s=DAY_S, seen_ttl_s=DAY_S)


def commit(store: Store, subject: Subject = ANNE, **values: Unpack[Values]) -> bool:
    return store.commit([change(store, subject, **values)], BUDGET_S)[0].landed


def held(store: Store, subject: Subject = ANNE) -> tuple[bytes | None, ...]:
    return store.read([subject], BUDGET_S)[0][2:5]
