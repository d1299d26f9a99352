"""The calls that pages make: the functions behind the RPCs, each on a context that one thread uses at a time.

Invariant: pages have no rule of their own; what an RPC refuses, a page refuses.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, NamedTuple

from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import profile_pb2 as prof
from adtargeting.v1 import targeting_pb2 as pb

from server.calls.call_context import CallContext
from server.calls.handlers import HANDLERS
from server.gate.methods import (
    DELETE_PROFILE,
    EXPLAIN,
    GET_PREFERENCES,
    GET_PROFILE,
    SET_PREFERENCE,
    UPDATE_PROFILE,
)
from server.messages.translate import ad_request
from targeting.policy.policy import Policy


class Person(NamedTuple):
    """One subject: an account or a browser."""

    account_id: str = ""
    device_id: str = ""

    def __repr__(self) -> str:
        """Show the kind alone."""
        return f"Person({'account' if self.account_id else 'device'})"


class Calls:
    """The RPCs, called directly. ``contexts`` are as many as calls may run at once; a further call waits."""

    def __init__(self, contexts: Iterable[CallContext]) -> None:
        self._idle: SimpleQueue[CallContext] = SimpleQueue()
        for context in contexts:
            self._idle.put(context)

    @contextmanager
    def context(self) -> Iterator[CallContext]:
        """Lend a context."""
        context = self._idle.get()
        try:
            yield context
        finally:
            self._idle.put(context)

    def policy(self) -> Policy:
        """Return the policy in force."""
        with self.context() as context:
            return context.rulebook().policy

    def preferences(self, person: Person) -> pref.GetPreferencesResponse:
        """Return the stored choice and its history. Raises ``InvalidRequest``, ``RecordUnreadable``, ``StoreError``."""
        request = pref.GetPreferencesRequest(**_subject(person))
        with self.context() as context:
            return pref.GetPreferencesResponse.FromString(
                HANDLERS[GET_PREFERENCES](request.SerializeToString(), context)
            )

    def choose(self, person: Person, request: pref.SetPreferenceRequest) -> pref.SetPreferenceResponse:
        """Store a choice. Raises what ``set_preference`` raises."""
        request.MergeFrom(pref.SetPreferenceRequest(**_subject(person)))
        with self.context() as context:
            return pref.SetPreferenceResponse.FromString(HANDLERS[SET_PREFERENCE](request.SerializeToString(), context))

    def profile(self, person: Person) -> prof.GetProfileResponse:
        """Return everything that is held. Raises ``InvalidRequest``, ``StoreError``."""
        request = prof.GetProfileRequest(**_subject(person))
        with self.context() as context:
            return prof.GetProfileResponse.FromString(HANDLERS[GET_PROFILE](request.SerializeToString(), context))

    def correct(self, person: Person, declared: prof.DeclaredAttributes, paths: Iterable[str]) -> None:
        """Correct declared attributes. Raises what ``update_profile`` raises."""
        request = prof.UpdateProfileRequest(**_subject(person))
        request.declared.CopyFrom(declared)
        request.update_mask.paths.extend(paths)
        with self.context() as context:
            HANDLERS[UPDATE_PROFILE](request.SerializeToString(), context)

    def erase(self, person: Person) -> None:
        """Erase the profile. Raises what ``delete_profile`` raises."""
        with self.context() as context:
            HANDLERS[DELETE_PROFILE](prof.DeleteProfileRequest(**_subject(person)).SerializeToString(), context)

    def explain(self, request: pb.DecideRequest) -> pb.ExplainResponse:
        """Explain a decision; reads only. Raises ``InvalidRequest``."""
        with self.context() as context:
            return pb.ExplainResponse.FromString(HANDLERS[EXPLAIN](request.SerializeToString(), context))

    def keep_signals(self, request: pb.DecideRequest) -> None:
        """Store what a signal of the request makes last, as a decision on it would."""
        with self.context() as context:
            decider, _, observer = context.decisions
            shown = context.canaries.checked(ad_request(request, context.locator))
            (planned,) = decider.plan([shown], context.rulebook().policy).items
            observer.observe(planned)


def _subject(person: Person) -> dict[str, Any]:
    return {"account_id": person.account_id} if person.account_id else {"device_id": person.device_id}
