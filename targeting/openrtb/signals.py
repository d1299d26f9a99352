"""The privacy signals of a bid request, read from the places of OpenRTB 2.5 and 2.6.

Where both places hold a signal the more restrictive one applies; two different consent strings must both allow.
Invariant: a signal in an invalid form is unreadable, which limits. Nothing read here makes a decision less
restrictive than its absence would, except a country or ``gdpr: 0``. This module does not know what a signal leads to.
"""

from datetime import date
from typing import Any, Final, NamedTuple

from targeting.age import day_of
from targeting.model import Signals
from targeting.openrtb.forms import DEVICE, DEVICE_EXT, REGS, REGS_EXT, USER, USER_EXT, Validators, is_text
from targeting.openrtb.signal_reader import NOTHING, Object, SignalReader, misspelt_objects
from targeting.openrtb.tracking import limits_tracking
from targeting.places.geo import UNKNOWN_LOCATION, IpLocation
from targeting.places.locale import EUROPE

_DEVICE: Final[Validators] = {
    **DEVICE,
    **dict.fromkeys(("ip", "ipv6", "langb", "language", "ifa", "os", "osv"), is_text),
}
_GDPR: Final = frozenset({"regs", "regs.ext", "user", "user.ext", "regs.gdpr", "regs.ext.gdpr", "user.ext.gdpr"})
"""Paths that hold the flag; an unreadable one may mean yes."""
_SET: Final = frozenset({1, "1"})
_BIRTH_YEARS: Final = range(1901, 10_000)
"""Possible years; 1900 stands for "unknown". The judge limits those in the future."""


class RequestSignals(NamedTuple):
    """What a bid request contributes to its own decision.

    ``addresses`` are the device's, unparsed; ``language`` is an unparsed BCP 47 tag; ``place`` is the device's stated
    location; ``countries`` and ``subdivisions`` are all that are stated (ISO 3166-1 alpha-2 or ``EU``, ISO 3166-2;
    ``US-`` is an unreadable subdivision).
    """

    signals: Signals
    addresses: tuple[str, ...]
    language: str
    place: IpLocation
    countries: tuple[str, ...]
    subdivisions: tuple[str, ...]
    in_app: bool

    def __repr__(self) -> str:
        """Return the type's name alone: nothing about the person."""
        return "RequestSignals()"


def read_signals(bid_request: Object, *, targeted_ads_off: bool = False) -> RequestSignals:
    """Read the signals of a bid request, whatever the types in it."""
    reader = SignalReader()
    reader.unreadable += misspelt_objects(bid_request)
    regs, user = reader.object_at("regs", bid_request, "regs"), reader.object_at("user", bid_request, "user")
    device = reader.object_at("device", bid_request, "device")
    in_app = reader.object_at("app", bid_request, "app") is not NOTHING
    user_fields = reader.read("user", user, USER)
    user_ext = reader.read("user.ext", reader.object_at("user.ext", user, "ext"), USER_EXT)
    consents = _distinct(user_fields.get("consent"), user_ext.get("consent"))
    device_fields = reader.read("device", device, _DEVICE)
    device_ext = reader.read("device.ext", reader.object_at("device.ext", device, "ext"), DEVICE_EXT)
    languages = _distinct(device_fields.get("langb"), device_fields.get("language"))
    place, subdivision = reader.place("device.geo", device)
    home, home_subdivision = reader.place("user.geo", user)
    return RequestSignals(
        signals=_regulations(reader, regs, user_ext.get("gdpr"))._replace(
            targeted_ads_off=targeted_ads_off,
            do_not_track=device_fields.get("dnt") == 1,
            limit_ad_tracking=device_fields.get("lmt") == 1
            or limits_tracking(device_fields, device_ext.get("atts"), in_app=in_app),
            tcf_consent=consents[0] if consents else "",
            more_tcf_consents=consents[1:],
            latest_birth_day=_latest_birth_day(reader, user.get("yob")),
            unreadable=tuple(reader.unreadable),
        ),
        addresses=_distinct(device_fields.get("ip"), device_fields.get("ipv6")),
        language=languages[0] if languages else "",
        place=place if place.country != EUROPE else UNKNOWN_LOCATION,
        countries=tuple([location.country for location in (place, home) if location.country]),
        subdivisions=tuple([code for code in (subdivision, home_subdivision) if code]),
        in_app=in_app,
    )


def _distinct(*texts: str | None) -> tuple[str, ...]:
    """Return the texts that are not empty, without duplicates."""
    return tuple(dict.fromkeys(filter(None, texts)))


def _regulations(reader: SignalReader, regs: Object, gdpr_of_user: int | None) -> Signals:
    fields = reader.read("regs", regs, REGS)
    ext = reader.read("regs.ext", reader.object_at("regs.ext", regs, "ext"), REGS_EXT)
    gdpr = {fields.get("gdpr"), ext.get("gdpr"), gdpr_of_user}
    strings = _distinct(fields.get("gpp"), ext.get("gpp"))
    us_privacies = _distinct(fields.get("us_privacy"), ext.get("us_privacy"))
    in_scope = 1 in gdpr or not _GDPR.isdisjoint(reader.unreadable)
    return Signals(
        child_directed=1 in {fields.get("coppa"), ext.get("coppa"), ext.get("s22580")},
        global_privacy_control=not _SET.isdisjoint({fields.get("gpc"), ext.get("gpc")}),
        gdpr_applies=in_scope if in_scope or 0 in gdpr else None,
        gpp=strings[0] if strings else "",
        more_gpps=strings[1:],
        gpp_section_ids=tuple(dict.fromkeys([*fields.get("gpp_sid", ()), *ext.get("gpp_sid", ())])),
        us_privacy=us_privacies[0] if us_privacies else "",
        more_us_privacies=us_privacies[1:],
    )


def _latest_birth_day(reader: SignalReader, year: Any) -> int | None:
    """Return the last day of the year of birth, a number or its text: the youngest age that the year allows."""
    if year is None or year == "":
        return None
    number = _whole_number(year)
    if number not in _BIRTH_YEARS:
        reader.unreadable.append("user.yob")
        return None
    return day_of(date(number, 12, 31))


def _whole_number(value: Any) -> int:
    """Return a whole number, also of a text; -1 for anything else."""
    if type(value) is str:
        text = value.strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else -1
    if type(value) is float and value.is_integer():
        return int(value)
    return value if type(value) is int else -1
