"""Everything that the page shows of one visitor, read once.

Invariant: without an account nothing that is held is read. What the store does not answer is None.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import profile_pb2 as prof
from adtargeting.v1 import targeting_pb2 as pb

from server.store.ports import StoreError
from server.web.calls import Calls, Person
from server.web.visit import Visit
from targeting.policy.policy import Policy
from targeting.records.envelope import RecordUnreadable

_MOST_NETWORKS: Final = 64
# Where consent tools keep their strings: IAB TCF v2 ("euconsent-v2") and the US Privacy User Signal Mechanism.
_STRINGS: Final = re.compile(r"(?:^|; )(euconsent-v2|usprivacy)=([A-Za-z0-9._~-]{1,4096})")

T = TypeVar("T")


class Facts(NamedTuple):
    """One visitor's choices, the decision on an ad request now, and on one after an opt-out; and what is held.

    ``account`` and ``browser`` are None where the record could not be read; ``profile`` also without an account.
    ``outage``: the store did not answer.
    """

    visit: Visit
    policy: Policy
    account: pref.GetPreferencesResponse | None
    browser: pref.GetPreferencesResponse | None
    decision: pb.DecideResponse
    if_opted_out: pb.DecideResponse
    profile: prof.GetProfileResponse | None
    outage: bool = False


def read_facts(calls: Calls, visit: Visit) -> Facts:
    """Read the facts. Raises ``InvalidRequest``."""
    account, browser = Person(account_id=visit.account_id), Person(device_id=visit.device_id)
    nothing = pref.GetPreferencesResponse()
    policy = calls.policy()
    request = ad_request_of(visit, policy)
    reader = _Reader()
    facts = Facts(
        visit=visit,
        policy=policy,
        account=reader.read(lambda: calls.preferences(account)) if visit.account_id else nothing,
        browser=reader.read(lambda: calls.preferences(browser)) if visit.device_id else nothing,
        decision=calls.explain(request).decision,
        if_opted_out=calls.explain(_opted_out(request)).decision,
        profile=reader.read(lambda: calls.profile(account)) if visit.account_id else None,
    )
    return facts._replace(outage=reader.outage)


def ad_request_of(visit: Visit, policy: Policy) -> pb.DecideRequest:
    """Return the ad request that a page with every network of the policy would cause for this visitor."""
    strings = dict(_STRINGS.findall(visit.cookie_header))
    return pb.DecideRequest(
        account_id=visit.account_id,
        ip=visit.ip,
        accept_language=visit.accept_language,
        cookie_header=visit.cookie_header,
        signals=pb.PrivacySignals(
            global_privacy_control=visit.global_privacy_control,
            do_not_track=visit.do_not_track,
            tcf_consent=strings.get("euconsent-v2", ""),
            us_privacy=strings.get("usprivacy", ""),
        ),
        third_party_networks=[network.id for network in policy.networks[:_MOST_NETWORKS]],
    )


def _opted_out(request: pb.DecideRequest) -> pb.DecideRequest:
    """Return the same request of a person who opted out, by whichever way: all have the same effect."""
    opted_out = pb.DecideRequest()
    opted_out.CopyFrom(request)
    opted_out.client.targeted_ads_off = True
    return opted_out


class _Reader:
    """Reads what can be read; ``outage`` tells whether the store failed to answer."""

    def __init__(self) -> None:
        self.outage = False

    def read(self, call: Callable[[], T]) -> T | None:
        """Return the answer; None where the store failed, and for an unreadable record, which the page tells."""
        try:
            return call()
        except StoreError:
            self.outage = True
            return None
        except RecordUnreadable:
            return None
