"""What callers send: requests of every kind, well-meaning and not, so that every series has something to count."""

import time
from collections.abc import Iterator
from itertools import count, repeat
from typing import NamedTuple

from adtargeting.v1 import preference_pb2 as preferences
from adtargeting.v1 import profile_pb2 as profiles
from adtargeting.v1 import targeting_pb2 as pb

from benchmarks import people
from tests.server.calls.direct_service import viewed
from tests.targeting.signals.tcf.tcf_encoder import Restriction, Tc

_PEOPLE = 50
_NETWORKS = ("house", "partner", "acme", "nameless")
_UNDISCLOSED = (Tc(last_updated=17_723_231_999), Tc(last_updated=17_723_232_000))
"""Updated just before and on 2026-03-01."""
_NEWER = Tc(policy_version=6)
_COSTLY = Tc(restrictions=(Restriction(2, 0, ((1, None),)),) * 129)
_DOUBTFUL = ["garbled", *(string.text() for string in (_NEWER, _COSTLY, *_UNDISCLOSED))]


class Explanation(NamedTuple):
    """A request that is explained instead of decided."""

    request: pb.DecideRequest


Request = (
    Explanation
    | pb.DecideRequest
    | pb.DecideBatchRequest
    | pb.PrepareBidRequestRequest
    | profiles.RecordActivityRequest
    | profiles.GetProfileRequest
    | profiles.UpdateProfileRequest
    | profiles.DeleteProfileRequest
    | preferences.SetPreferenceRequest
    | preferences.GetPreferencesRequest
)


def targeting() -> Iterator[Request]:
    """Yield decisions of every kind, for ever."""
    for number in count():
        yield from _decisions(f"person-{number % _PEOPLE}")
        yield people.batch(number % _PEOPLE, 8)
        yield people.bid_request(number)
        if number % _PEOPLE == 0:
            # Refused for its size; more of them would be an alert of their own.
            yield pb.DecideRequest(account_id="person-0", cookie_header="c" * 100_000)


def activities() -> Iterator[Request]:
    """Yield activities of people some of whom have opted out."""
    for number in count():
        activity = viewed(account_id=f"person-{number % _PEOPLE}", activity_id=f"{number}-{time.time_ns()}")
        yield profiles.RecordActivityRequest(activities=[activity])


def choices() -> Iterator[Request]:
    """Yield opt-outs and opt-ins of every third person by turns."""
    for number in count():
        choice = preferences.CHOICE_OPT_OUT if number % 2 else preferences.CHOICE_OPT_IN
        yield preferences.SetPreferenceRequest(
            account_id=f"person-{3 * number % _PEOPLE}", choice=choice, source=preferences.SOURCE_ACCOUNT_PAGE
        )


def invented_devices() -> Iterator[Request]:
    """Yield decisions about devices that are new, each with a signal that is stored."""
    signals = pb.PrivacySignals(global_privacy_control=True)
    for number in count():
        yield pb.DecideRequest(device_id=f"{time.time_ns():024x}{number:08x}", ip="8.8.8.8", signals=signals)


def largest_batches() -> Iterator[Request]:
    """Yield the largest batch."""
    return repeat(people.batch(0, 256))


def _decisions(account: str) -> Iterator[Request]:
    """Yield one person's requests: ordinary, with signals in doubt, and wrong ones."""
    for _ in range(3):
        yield pb.DecideRequest(account_id=account, ip="8.8.8.8", third_party_networks=_NETWORKS)
    for text in _DOUBTFUL:
        yield pb.DecideRequest(account_id=account, signals=pb.PrivacySignals(gdpr_applies=True, tcf_consent=text))
    yield pb.DecideRequest(account_id="a" * 257)
