"""Whom the benchmarks decide about: made-up people, the records they have, and the ad requests they send.

The same numbers make the same people. Times lie far from where a varint grows, so that the answers about one person
keep their size during a run.
"""

import time
from pathlib import Path
from random import Random

from adtargeting.v1 import targeting_pb2 as pb

from targeting.features.taxonomy import CODES, segment_code
from targeting.model import Gender, Subject, SubjectKind
from targeting.records.preference import Choice, Preference, Source
from targeting.records.profile import HeldDestination, HeldExposure, HeldInterest, Profile, SegmentKind

INTERESTS = 32
DESTINATIONS = 3
EXPOSURES = 6
NETWORKS = ("house", "partner", "unknown-network")

_DAY_S = 86_400
_SEGMENTS = [str(code) for code in range(1, CODES) if segment_code(str(code)) == code]
_COUNTRIES = ("GB", "US", "DE", "IN", "PH", "MX", "PL", "NG", "BR", "FR")
_OCCUPATIONS = ("nurse", "teacher", "engineer", "driver", "student", "cook")
_BID_REQUEST = Path(__file__).parents[1] / "docs" / "examples" / "web-multi-format-no-regime.json"
_ADDRESS = "8.8.8.8"  # of the United States: no consent string is needed there


def account(number: int) -> Subject:
    """The account of a person."""
    return Subject(SubjectKind.ACCOUNT, f"account-{number:012d}")


def preference(number: int) -> Preference:
    """The stored choice: none was made; the birth date is an adult's."""
    return Preference(Choice.NONE, Source.UNSTATED, birth_day=_random(number).randrange(-3650, 9000))


def profile(number: int) -> Profile:
    """The profile: full, of evidence from the last four weeks."""
    random, now = _random(number), int(time.time())

    def recently() -> int:
        return now - _DAY_S - random.randrange(27 * _DAY_S)

    return Profile(
        gender=Gender(random.randrange(4)),
        occupation=random.choice(_OCCUPATIONS),
        postal_code=f"{random.randrange(10_000, 99_999)}",
        country="US",
        language="en",
        interests=tuple(
            HeldInterest(segment, random.choice(tuple(SegmentKind)), random.uniform(0.5, 1), recently())
            for segment in random.sample(_SEGMENTS, INTERESTS)
        ),
        destinations=tuple(
            HeldDestination(country, random.uniform(1, 50), recently())
            for country in random.sample(_COUNTRIES, DESTINATIONS)
        ),
        exposures=tuple(
            HeldExposure(f"ad-{random.randrange(10**6):06d}", random.randrange(1, 9), 0, recently())
            for _ in range(EXPOSURES)
        ),
        version=1,
        created_s=now - 90 * _DAY_S,
        updated_s=now - _DAY_S,
    )


def request(number: int) -> pb.DecideRequest:
    """An ad request of a person, with what a browser sends along."""
    device = f"{_random(number).getrandbits(128):032X}"
    return pb.DecideRequest(
        request_id=f"request-{number:012d}",
        account_id=account(number).id,
        device_id=device,
        ip=_ADDRESS,
        accept_language="en-US,en;q=0.9,de;q=0.5",
        cookie_header=f"MUID={device}; CC=US; SRCHD=AF=NOFORM; _ga=GA1.2.1234567890.1700000000; theme=dark",
        client=pb.ClientSettings(country="US", language="en-US"),
    )


def limiting_request(number: int) -> pb.DecideRequest:
    """The same request with a signal that limits it at once."""
    limited = request(number)
    limited.signals.global_privacy_control = True
    return limited


def request_with_networks(number: int) -> pb.DecideRequest:
    """The same request for three third-party networks."""
    asked = request(number)
    asked.third_party_networks.extend(NETWORKS)
    return asked


def bid_request(number: int) -> pb.PrepareBidRequestRequest:
    """An OpenRTB bid request of 4 KB for three networks, from a person whom nothing in it limits."""
    return pb.PrepareBidRequestRequest(
        bid_request=_BID_REQUEST.read_bytes(), account_id=account(number).id, third_party_networks=NETWORKS
    )


def batch(first: int, size: int) -> pb.DecideBatchRequest:
    """A batch of as many people, each once."""
    return pb.DecideBatchRequest(requests=map(request, range(first, first + size)))


def _random(number: int) -> Random:
    return Random(number)
