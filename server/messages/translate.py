"""From messages to core values: parse once, then trust.

With ``server.messages.wire`` (the way back), the worker and the calls, the only code that sees ``*_pb2``. A malformed
request
is ``InvalidRequest``, naming the field and never its value; a malformed signal, cookie, address or language is no
error: it is handed on, and only ever limits.
"""

from collections.abc import Sequence

from adtargeting.v1 import targeting_pb2 as pb

from server.errors import InvalidRequest
from server.geo.ip_location import IpLocator
from targeting.model import NO_SIGNALS, AdRequest, Identity, Signals
from targeting.places.locale import parse_country, parse_place
from targeting.signals.cookies import browser_id
from targeting.subjects.identifiers import is_placeholder

MAX_ID_BYTES = 256
MAX_LINKED_ACCOUNTS = 8
MAX_NETWORKS = 64
MAX_SECTIONS = 32
"""How many ids of GPP sections are looked at; the standard has fewer sections that could apply at once."""

# No character takes more than four bytes in UTF-8, so shorter texts need no look.
_SURELY_SHORT = MAX_ID_BYTES // 4


def ad_request(message: pb.DecideRequest, locator: IpLocator, caller: str = "") -> AdRequest:
    """Read one request of a caller. Raises ``InvalidRequest``."""
    # Every look at a field takes as long as a small function: one look each.
    request_id, ip, networks_asked = message.request_id, message.ip, message.third_party_networks
    client = message.client
    client_country, targeted_ads_off = client.country, client.targeted_ads_off
    if len(request_id) > _SURELY_SHORT:
        checked_id("request_id", request_id)
    if client_country:
        check_place("client.country", client_country)
    return AdRequest(
        request_id=request_id,
        identity=identity(message.account_id, message.linked_account_ids, message.device_id),
        ip=ip,
        ip_location=locator.locate(ip),
        accept_language=message.accept_language,
        client_country=client_country,
        client_language=client.language,
        in_app=client.app != "",
        cookie_header=message.cookie_header,
        signals=_signals(message, targeted_ads_off=targeted_ads_off),
        networks=networks(networks_asked) if networks_asked else (),
        caller=caller,
        is_dry_run=message.dry_run,
    )


def identity(account_id: str, linked_account_ids: Sequence[str], device_id: str) -> Identity:
    """Read who a request is about. Raises ``InvalidRequest``."""
    linked: tuple[str, ...] = ()
    if linked_account_ids:
        linked = tuple(linked_account_ids)
        if len(linked) > MAX_LINKED_ACCOUNTS:
            raise InvalidRequest("linked_account_ids", f"must contain at most {MAX_LINKED_ACCOUNTS} items")
        for index, each in enumerate(linked):
            checked_id(f"linked_account_ids[{index}]", each)
    if len(account_id) > _SURELY_SHORT or len(device_id) > _SURELY_SHORT:
        checked_id("account_id", account_id)
        checked_id("device_id", device_id)
    return Identity(account_id, linked, browser_id(device_id))


def networks(network_ids: Sequence[str]) -> tuple[str, ...]:
    """Read which networks are asked for. Raises ``InvalidRequest``."""
    if len(network_ids) > MAX_NETWORKS:
        raise InvalidRequest("third_party_networks", f"must contain at most {MAX_NETWORKS} items")
    for index, each in enumerate(network_ids):
        if not checked_id(f"third_party_networks[{index}]", each):
            raise InvalidRequest(f"third_party_networks[{index}]", "must not be empty; name a network or leave it out")
    return tuple(network_ids)


def named_id(field: str, text: str) -> str:
    """Return the id of a subject or an event to be written. Raises ``InvalidRequest`` for a placeholder, too."""
    if is_placeholder(checked_id(field, text)):
        raise InvalidRequest(field, "must not be a placeholder; send the id or leave the field out")
    return text


def checked_id(field: str, text: str) -> str:
    """Return the id. Raises ``InvalidRequest`` for one that is too long."""
    if len(text) > _SURELY_SHORT and len(text.encode()) > MAX_ID_BYTES:
        raise InvalidRequest(field, f"must have at most {MAX_ID_BYTES} bytes")
    return text


def checked_country(field: str, text: str) -> str:
    """Return the ISO 3166-1 alpha-2 code, or nothing for nothing. Raises ``InvalidRequest``."""
    if not text:
        return ""
    country = parse_country(text)
    if country is None:
        raise InvalidRequest(field, "not a country; send an ISO 3166-1 alpha-2 or alpha-3 code or leave it empty")
    return country


def check_place(field: str, text: str) -> None:
    """Raise ``InvalidRequest`` unless the text is empty, a country, ``EU``, or a code that stands for no country."""
    if text and parse_place(text) is None:
        raise InvalidRequest(field, "not a country; send an ISO 3166-1 alpha-2 or alpha-3 code or leave it empty")


def _signals(message: pb.DecideRequest, *, targeted_ads_off: bool) -> Signals:
    if not message.HasField("signals"):
        return Signals(targeted_ads_off=True) if targeted_ads_off else NO_SIGNALS
    return signals(message.signals, targeted_ads_off=targeted_ads_off)


def signals(message: pb.PrivacySignals, *, targeted_ads_off: bool) -> Signals:
    """Read the privacy signals; nothing in them is ever refused."""
    section_ids = tuple(message.gpp_section_ids[: MAX_SECTIONS + 1])
    return Signals(
        child_directed=message.child_directed,
        targeted_ads_off=targeted_ads_off,
        global_privacy_control=message.global_privacy_control,
        do_not_track=message.do_not_track,
        limit_ad_tracking=message.limit_ad_tracking,
        industry_opt_outs=tuple(message.industry_opt_outs),
        gdpr_applies=message.gdpr_applies if message.HasField("gdpr_applies") else None,
        tcf_consent=message.tcf_consent,
        gpp=message.gpp,
        gpp_section_ids=section_ids[:MAX_SECTIONS],
        us_privacy=message.us_privacy,
        age_treatment=message.age_treatment,
        # What is not looked at may limit.
        unreadable=("signals.gpp_section_ids",) if len(section_ids) > MAX_SECTIONS else (),
    )
