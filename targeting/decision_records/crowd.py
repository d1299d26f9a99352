"""Only what many have in common in an hour is recorded: a rare combination would single a person out.

Records that are equal but for the group of the person form a class. They are held back until the class has as many
people as the crowd needs, then released together, and every further one at once. What is still held back when the hour
is over is dropped. LIMITED records have no pseudonym, so their requests are counted instead. Example with a crowd of
20: 4 equal requests of one hour are never written.

Invariant: the class of every released record has at least the number of a crowd. Memory is bounded.
"""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from targeting.decision_records.form import DecisionRecord
from targeting.decision_records.person_group import group_of

MAX_CLASSES: Final = 10_000
"""Classes of one hour; further ones are as rare ones."""


class _Held:
    """A class whose records are held back: the groups of its records, and the people in it."""

    __slots__ = ("groups", "people")

    def __init__(self) -> None:
        self.groups: list[int | None] = []
        self.people: set[bytes | int] = set()

    def add(self, pseudonym: bytes | None) -> int:
        """Add a record, and return how many people there are."""
        self.people.add(len(self.groups) if pseudonym is None else pseudonym)
        self.groups.append(None if pseudonym is None else group_of(pseudonym))
        return len(self.people)


class Crowd:
    """The classes of one hour at a time."""

    def __init__(self, least: int, max_classes: int = MAX_CLASSES) -> None:
        """``least`` is how many people a class needs; 1: every record is released at once."""
        self._least = least
        self._max_classes = max_classes
        self._hour = ""
        self._classes: dict[DecisionRecord, _Held | None] = {}
        """None stands for a class that is large enough."""
        self.forgotten = 0
        """How many records were never released."""

    def release(self, record: DecisionRecord, pseudonym: bytes | None = None) -> Sequence[DecisionRecord]:
        """Take in a record, with the person of a behavioural one, and return those that may be written now."""
        if record.hour != self._hour:
            self.end_hour()
            self._hour = record.hour
        if record not in self._classes:
            if len(self._classes) >= self._max_classes:
                self.forgotten += 1
                return ()
            self._classes[record] = _Held()
        held = self._classes[record]
        if held is None:
            return (_of_group(record, None if pseudonym is None else group_of(pseudonym)),)
        if held.add(pseudonym) < self._least:
            return ()
        self._classes[record] = None
        return [_of_group(record, group) for group in held.groups]

    def end_hour(self) -> None:
        """Forget what is held back."""
        self.forgotten += sum(len(held.groups) for held in self._classes.values() if held is not None)
        self._classes.clear()


def _of_group(record: DecisionRecord, group: int | None) -> DecisionRecord:
    return record if group is None else replace(record, person=group)
