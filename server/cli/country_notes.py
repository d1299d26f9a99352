"""What a decision does not say about the country of a request: why none is known, and what follows from that.

The answer of the service has no place for it; the command knows both the request and the answer.
"""

from collections.abc import Iterator
from typing import Final

from adtargeting.v1 import targeting_pb2 as pb

from targeting.places.geo import parse_ip
from targeting.places.locale import EUROPE, parse_place

_GPP_SECTION_OF_THE_GDPR: Final = 2
NO_ADDRESS: Final = "--ip is not an IPv4 or IPv6 address, so it shows no country."
NO_COUNTRY: Final = "--country is a code that stands for no country, so it counts as not given."
NONE_KNOWN: Final = "The country is unknown, so the GDPR is taken to apply; --ip or --country shows a country."


def country_notes(request: pb.DecideRequest, decision: pb.DecideResponse) -> Iterator[str]:
    """Yield what to know about the country of the request, one sentence each."""
    place = parse_place(request.client.country)
    if request.ip and parse_ip(request.ip) is None:
        yield NO_ADDRESS
    if request.client.country and not place:
        yield NO_COUNTRY
    shown = place == EUROPE or decision.limited.country or decision.limited.ip_country
    if not shown and not _says_whether_the_gdpr_applies(request.signals):
        yield NONE_KNOWN


def _says_whether_the_gdpr_applies(signals: pb.PrivacySignals) -> bool:
    return signals.HasField("gdpr_applies") or _GPP_SECTION_OF_THE_GDPR in signals.gpp_section_ids
