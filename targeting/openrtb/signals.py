"""The privacy signals of a bid request, read from the places of OpenRTB 2.5 and 2.6.

Where both places hold a signal the more restrictive one applies; two different consent strings must both allow.
Invariant: a signal in an invalid form is unreadable, which limits. Nothing read here makes a decision less
restrictive than its absence would, except a country or ``gdpr: 0``. This module does not know what a signal leads to.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from targeting.model import NO_SIGNALS, Signals
from targeting.openrtb.forms import DEVICE, DEVICE_EXT, REGS, USER, USER_EXT, Validators, is_text
from targeting.openrtb.schema import OBJECTS
from targeting.places.geo import UNKNOWN_LOCATION, IpLocation, location_of
from targeting.places.locale import parse_country

Object = Mapping[str, Any]

_NOTHING: Final[Object] = {}
_DEVICE: Final[Validators] = {**DEVICE, **dict.fromkeys(("ip", "ipv6", "langb", "language"), is_text)}
_HOLDERS: Final[Mapping[str, Validators]] = {"regs": REGS, "user": USER, "device": DEVICE}
_GEO: Final[Validators] = {"country": is_text}
_PLAIN_NAMES: Final = frozenset(
    name for known in (*OBJECTS.values(), REGS, DEVICE_EXT) for name in known if name == name.casefold()
)
"""Lower-case names of the specification: nearly all that a bid request contains."""
_GDPR: Final = frozenset({"regs.gdpr", "regs.ext.gdpr"})
_SET: Final = frozenset({1, "1"})
_AUTHORISED: Final = 3
"""``device.ext.atts``: 0 is undetermined, 1 restricted, 2 denied."""
_FROM_ATTS: Final = (14, 2)
_BEFORE_ATTS: Final = frozenset({(14, 0), (14, 1)})
_APPLE: Final = ("ios", "ipados", "iphone", "tvos")
# "14.1", "14_1_2", "iOS 14.0", "iPhone OS 14_0", "14.0b1"
_VERSION: Final = re.compile(
    r"(?:(?:iphone os|ios|ipados|tvos)\s*)?(\d{1,4})(?:[._](\d{1,4}))?(?:[._]\d{1,4})*(?:\s?[a-z]+\d*)?", re.ASCII
)
_NO_ID: Final = frozenset({"", "null", "none", "undefined"})


class RequestSignals(NamedTuple):
    """What a bid request contributes to its own decision.

    ``addresses`` are the device's, unparsed; ``language`` is an unparsed BCP 47 tag; ``place`` is the device's stated
    location; ``countries`` and ``subdivisions`` are all that are stated (ISO 3166-1 alpha-2, ISO 3166-2; ``US-`` is an
    unreadable subdivision).
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
    """Read the signals of a bid request whose fields were checked."""
    reader = _SignalReader()
    reader.unreadable += _misspelt(bid_request)
    regs, user = bid_request.get("regs", _NOTHING), bid_request.get("user", _NOTHING)
    device, in_app = bid_request.get("device", _NOTHING), "app" in bid_request
    signals = _regulations(reader, regs) if regs else NO_SIGNALS
    user_fields = reader.read("user", user, USER)
    user_ext = reader.read("user.ext", user.get("ext", _NOTHING), USER_EXT)
    consents = _distinct(user_fields.get("consent"), user_ext.get("consent"))
    device_fields = reader.read("device", device, _DEVICE)
    languages = _distinct(device_fields.get("langb"), device_fields.get("language"))
    place, subdivision = reader.place("device.geo", device)
    home, home_subdivision = reader.place("user.geo", user)
    limits_tracking = _limits_tracking(reader, device, in_app=in_app)
    return RequestSignals(
        signals=signals._replace(
            targeted_ads_off=targeted_ads_off,
            do_not_track=device_fields.get("dnt") == 1,
            limit_ad_tracking=device_fields.get("lmt") == 1 or limits_tracking,
            tcf_consent=consents[0] if consents else "",
            more_tcf_consents=consents[1:],
            unreadable=tuple(reader.unreadable),
        ),
        addresses=_distinct(device_fields.get("ip"), device_fields.get("ipv6")),
        language=languages[0] if languages else "",
        place=place,
        countries=tuple([location.country for location in (place, home) if location.country]),
        subdivisions=tuple([code for code in (subdivision, home_subdivision) if code]),
        in_app=in_app,
    )


def _misspelt(bid_request: Object) -> list[str]:
    """Return the objects with signals whose names differ in case: some readers ignore case."""
    if _PLAIN_NAMES.issuperset(bid_request):
        return []
    return [
        known
        for name, value in bid_request.items()
        if (known := name.casefold()) in _HOLDERS
        and known != name
        and isinstance(value, dict)
        and any(member.casefold() in _HOLDERS[known] for member in value)
    ]


class _SignalReader:
    """Reads valid signals, and collects the paths of invalid ones."""

    __slots__ = ("unreadable",)

    def __init__(self) -> None:
        self.unreadable: list[str] = []

    def read(self, path: str, holder: Object, validators: Validators) -> dict[str, Any]:
        """Return the valid members of an object that the table names."""
        valid: dict[str, Any] = {}
        for name, is_valid in validators.items():
            if name not in holder:
                continue
            if is_valid(holder[name]):
                valid[name] = holder[name]
            else:
                self.unreadable.append(f"{path}.{name}")
        if _PLAIN_NAMES.issuperset(holder):
            return valid
        for name in holder:
            if (known := name.casefold()) in validators and known not in holder:
                # Some readers ignore case, so this may be the signal.
                self.unreadable.append(f"{path}.{known}")
        return valid

    def place(self, path: str, holder: Object) -> tuple[IpLocation, str]:
        """Return the location that ``geo`` states, and the subdivision for rules by place.

        The region may be written as OpenRTB or ISO 3166-2 does, in any case; an unreadable one gives ``US-``.
        """
        geo = holder.get("geo", _NOTHING)
        country = parse_country(self.read(path, geo, _GEO).get("country", ""))
        if country is None:
            return UNKNOWN_LOCATION, ""
        stated = geo.get("region", "").strip().upper().removeprefix(f"{country}-")
        place = location_of(country, stated)
        return place, place.subdivision or (f"{country}-" if stated else "")


def _distinct(*texts: str | None) -> tuple[str, ...]:
    """Return the texts that are not empty, without duplicates."""
    return tuple(dict.fromkeys(filter(None, texts)))


def _regulations(reader: _SignalReader, regs: Object) -> Signals:
    fields, ext = reader.read("regs", regs, REGS), reader.read("regs.ext", regs.get("ext", _NOTHING), REGS)
    gdpr = {fields.get("gdpr"), ext.get("gdpr")}
    strings = _distinct(fields.get("gpp"), ext.get("gpp"))
    us_privacies = _distinct(fields.get("us_privacy"), ext.get("us_privacy"))
    # An unreadable flag may mean yes.
    in_scope = 1 in gdpr or not _GDPR.isdisjoint(reader.unreadable)
    return Signals(
        child_directed=1 in {fields.get("coppa"), ext.get("coppa")},
        global_privacy_control=not _SET.isdisjoint({fields.get("gpc"), ext.get("gpc")}),
        gdpr_applies=in_scope if in_scope or 0 in gdpr else None,
        gpp=strings[0] if strings else "",
        more_gpps=strings[1:],
        gpp_section_ids=tuple(dict.fromkeys([*fields.get("gpp_sid", ()), *ext.get("gpp_sid", ())])),
        us_privacy=us_privacies[0] if us_privacies else "",
        more_us_privacies=us_privacies[1:],
    )


def _limits_tracking(reader: _SignalReader, device: Object, *, in_app: bool) -> bool:
    """Whether Apple's signals since iOS 14 amount to Limit Ad Tracking. They can only add a limit."""
    status = reader.read("device.ext", device.get("ext", _NOTHING), DEVICE_EXT).get("atts", _AUTHORISED)
    is_apple = in_app and device.get("os", "").strip().lower().startswith(_APPLE)
    if status == _AUTHORISED and not is_apple:
        return False
    version = _version(device.get("osv", ""))
    if status != _AUTHORISED and not (version and version < _FROM_ATTS):
        return True
    has_id = device.get("ifa", "").strip().lower().strip("0-") not in _NO_ID
    # An unreadable version may be either.
    return is_apple and not has_id and (version is None or version in _BEFORE_ATTS)


def _version(text: str) -> tuple[int, int] | None:
    match = _VERSION.fullmatch(text.strip().lower())
    return (int(match[1]), int(match[2] or 0)) if match else None
