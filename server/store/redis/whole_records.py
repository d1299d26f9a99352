"""Everything of every subject, as a writer reads it: one list of keys, and the records from the values found there.

Knows no topology: the caller's function reads the values, on one server or on several.
"""

from collections.abc import Callable, Iterable, Sequence

from server.store.keys import Pseudonyms, seen_key
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords


def read_whole(
    pseudonyms: Pseudonyms, subjects: Sequence[Subject], read: Callable[[Sequence[bytes]], Iterable[bytes | None]]
) -> list[StoredRecords]:
    """Return all records of subjects. ``read`` returns the values of keys in their order, and raises ``StoreError``."""
    places = [pseudonyms.locate(subject) for subject in subjects]
    keys = [key for _, preference, profile in places for key in (preference, profile, seen_key(profile))]
    values = iter(read(keys))
    return [
        StoredRecords(subject.kind, owner, preference, profile, seen)
        for subject, (owner, _, _), preference, profile, seen in zip(
            subjects, places, values, values, values, strict=True
        )
    ]
