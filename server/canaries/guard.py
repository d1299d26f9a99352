"""Keeps callers from the ids of canaries, which only the service itself may name.

An id in a field of its own is refused, as any malformed id is. In a cookie, or in the text of a bid request, nothing is
refused, because an ad is always served: there it limits, as any signal that cannot be read. Neither a profile nor a
choice of a canary is looked up for a caller, and no signal of a caller is stored for one.
"""

from typing import Final

from server.errors import InvalidRequest
from server.security.caller import own_caller
from targeting.canaries.ids import NO_CANARY_IDS, CanaryIds
from targeting.canaries.people import CALLER_NAME
from targeting.decision import Plan, PlannedRequest
from targeting.model import AdRequest, Subject
from targeting.reasons import Reason, Reasons
from targeting.signals.cookies import NO_COOKIES

PART: Final = "canaries"
CALLER: Final = own_caller(PART)
"""The caller that may name canaries; the core knows it as ``CALLER_NAME``."""

_PROBLEM: Final = "is reserved for the service's own checks; send the id of the account or device"


class CanaryGuard:
    """Guards the ids under one key. Threads may share it."""

    def __init__(self, ids: CanaryIds = NO_CANARY_IDS) -> None:
        self._ids = ids

    def checked(self, request: AdRequest) -> AdRequest:
        """Return a request whose ids its caller may use. Raises ``InvalidRequest``."""
        include, (account_id, linked_ids, device_id) = self._ids.include, request.identity
        if request.caller != CALLER_NAME:
            if include(account_id):
                raise InvalidRequest("account_id", _PROBLEM)
            if include(device_id):
                raise InvalidRequest("device_id", _PROBLEM)
            for index, linked_id in enumerate(linked_ids):
                if include(linked_id):
                    raise InvalidRequest(f"linked_account_ids[{index}]", _PROBLEM)
        return request

    def checked_subject(self, subject: Subject) -> Subject:
        """Return the subject of a preference or profile call. Raises ``InvalidRequest``."""
        if self._ids.include(subject.id):
            raise InvalidRequest("device_id" if subject.kind.value == "d" else "account_id", _PROBLEM)
        return subject

    def limited_if_named(self, request: AdRequest, text: bytes) -> AdRequest:
        """Return the request, limited if a text that came with it, such as a bid request, names a canary."""
        if not self._ids.occur_in(text) or request.caller == CALLER_NAME:
            return request
        unreadable = (*request.signals.unreadable, "bid_request")
        return request._replace(signals=request.signals._replace(unreadable=unreadable))

    def withhold(self, planned: Plan) -> Plan:
        """Return the plan; a request whose cookies name a canary is limited, and the cookies are no longer known."""
        for item in planned.items:
            if item.cookies is not NO_COOKIES and self._is_named_by(item):
                return Plan.of([self._limited(each) if self._is_named_by(each) else each for each in planned.items])
        return planned

    def _is_named_by(self, item: PlannedRequest) -> bool:
        return self._ids.include(item.cookies.muid) or self._ids.include(item.cookies.anon_id)

    def _limited(self, item: PlannedRequest) -> PlannedRequest:
        reasons = Reasons(item.verdict.reasons | Reason.SIGNAL_UNREADABLE.bit)
        cookies = item.cookies._replace(muid="", anon_id="", device_doubt=True)
        return item._replace(cookies=cookies, verdict=item.verdict._replace(reasons=reasons), subjects=())


NO_GUARD: Final = CanaryGuard()
