"""Two subjects, and changes of their records as a writer makes them."""

from server.store.ports import RecordChange
from server.store.redis.store import RedisStore
from targeting.model import Subject, SubjectKind
from targeting.records.preference import Preference, encode_preference
from tests.server.store.fake_store import PSEUDONYMS

BUDGET_S = 5.0
ANNE = Subject(SubjectKind.ACCOUNT, "anne")
BEN = Subject(SubjectKind.ACCOUNT, "ben")


def record(subject: Subject, version: int = 1) -> bytes:
    return encode_preference(Preference(version=version), PSEUDONYMS.owner(subject))


def change(store: RedisStore, subject: Subject = ANNE, profile: bytes | None = b"profile") -> RecordChange:
    held = store.read([subject], BUDGET_S)[0]
    return RecordChange(subject, held, record(subject), profile, b"seen", profile_ttl_s=100, seen_ttl_s=50)
