"""Storing a choice off the path of a call: read, decide, compare and set, wait until it is safe.

Invariant: a choice lands only upon the records it was derived from, together with what the policy makes of the
profile, or not at all.
"""

from collections.abc import Callable
from typing import NamedTuple

from server.store.ports import Change, Committed, RecordStore, StoreUnavailable
from targeting.decision import Rulebook
from targeting.model import Subject
from targeting.preference import Choice, Preference, decode_preference, encode_preference

_ATTEMPTS = 16
_ERASED = b""


class StoredChoice(NamedTuple):
    """A choice that is stored, and whether it is as safe as the settings ask for."""

    preference: Preference
    confirmed: bool


class ChoiceStore(NamedTuple):
    """Stores choices; for the one thread that owns the store's connection. ``budget_s`` is for each round trip."""

    store: RecordStore
    rulebook: Callable[[], Rulebook]
    replicas: int = 0
    needs_disk: bool = False
    budget_s: float = 0.5

    def update(
        self, subject: Subject, after: Callable[[Preference], Preference | None], *, waits: bool = True
    ) -> StoredChoice | None:
        """Store what ``after`` makes of the record; None from it changes nothing.

        Raises ``StoreError``, and ``RecordUnreadable`` for a record that only the person may replace.
        """
        for _ in range(_ATTEMPTS):
            held = self.store.read([subject], self.budget_s)[0]
            preference = after(
                Preference() if held.preference is None else decode_preference(held.preference, held.owner)
            )
            if preference is None:
                return None
            change = Change(subject, held, preference=encode_preference(preference, held.owner))
            if preference.choice is Choice.OPT_OUT and self.rulebook().policy.opt_out.on_opt_out == "erase":
                change = change._replace(profile=_ERASED, seen=_ERASED)
            committed = self._commit(change, waits=waits)
            if committed.landed:
                return StoredChoice(preference, self._confirms(committed))
        raise StoreUnavailable("the subject's records kept changing")

    def _commit(self, change: Change, *, waits: bool) -> Committed:
        if waits:
            return self.store.commit_durably(change, self.replicas, self.budget_s)
        return self.store.commit([change], self.budget_s)[0]

    def _confirms(self, committed: Committed) -> bool:
        return committed.replicas >= self.replicas and (committed.on_disk or not self.needs_disk)
