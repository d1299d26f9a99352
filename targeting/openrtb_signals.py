"""The privacy signals of a bid request, from where OpenRTB 2.5 and 2.6 keep them.

Where a signal is in both places the more restrictive one counts, and of two different strings each must allow.
Invariant: a signal that is there in another form than the specification's is unreadable, and limits; nothing that
is read here can make a decision less restrictive than its absence would, but for a stated country or ``gdpr: 0``.
Knows nothing of what a signal leads to.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from targeting.geo import UNKNOWN_LOCATION, IpLocation, location_of
from targeting.locale import parse_country
from targeting.model import NO_SIGNALS, Signals

Object = Mapping[str, Any]

MAX_SECTIONS: Final = 32
"""Ids of GPP sections that are looked at; with more of them the list is unreadable."""

_NOTHING: Final[Object] = {}
_AUTHORISED: Final = 3
"""``device.ext.atts`` is Apple's ATTrackingManager.AuthorizationStatus: 0 undetermined, 1 restricted, 2 denied."""
_FROM_ATTS: Final = (14, 2)
_BEFORE_ATTS: Final = frozenset({(14, 0), (14, 1)})
_APPLE: Final = ("ios", "ipados", "iphone", "tvos")
# "14.1", "14_1_2", "iOS 14.0", "iPhone OS 14_0", "14.0b1"
_VERSION: Final = re.compile(
    r"(?:(?:iphone os|ios|ipados|tvos)\s*)?(\d{1,4})(?:[._](\d{1,4}))?(?:[._]\d{1,4})*(?:\s?[a-z]+\d*)?", re.ASCII
)
_NO_ID: Final = frozenset({"", "null", "none", "undefined"})


class Heard(NamedTuple):
    """What a bid request says for its own decision.

    ``addresses`` are those of the device, as written; ``language`` a BCP 47 tag, as written; ``place`` the device's,
    as stated; ``countries`` and ``subdivisions`` all that are stated (ISO 3166-1 alpha-2, ISO 3166-2).
    """

    signals: Signals
    addresses: tuple[str, ...]
    language: str
    place: IpLocation
    countries: tuple[str, ...]
    subdivisions: tuple[str, ...]
    in_app: bool

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return "Heard()"


def hear(bid_request: Object, *, targeted_ads_off: bool = False) -> Heard:
    """Read the signals of a bid request whose fields were checked."""
    ear = _Ear()
    regs, user = bid_request.get("regs", _NOTHING), bid_request.get("user", _NOTHING)
    device, in_app = bid_request.get("device", _NOTHING), "app" in bid_request
    signals = _regulations(ear, regs)._replace(
        targeted_ads_off=targeted_ads_off,
        do_not_track=ear.flag("device.dnt", device.get("dnt", 0)),
        limit_ad_tracking=_limits_tracking(ear, device, in_app=in_app),
    )
    consents = ear.texts("user.consent", *_both(user, "consent"))
    place, home = ear.place("device.geo", device.get("geo")), ear.place("user.geo", user.get("geo"))
    languages = ear.texts("device.language", device.get("langb", ""), device.get("language", ""))
    addresses = ear.texts("device.ip", device.get("ip", ""), device.get("ipv6", ""))
    return Heard(
        signals._replace(
            tcf_consent=consents[0] if consents else "",
            more_tcf_consents=consents[1:],
            unreadable=tuple(ear.unreadable),
        ),
        addresses,
        languages[0] if languages else "",
        place,
        tuple([each.country for each in (place, home) if each.country]),
        tuple([each.subdivision for each in (place, home) if each.subdivision]),
        in_app,
    )


class _Ear:
    """Reads values, and keeps the names of those that cannot be read."""

    __slots__ = ("unreadable",)

    def __init__(self) -> None:
        self.unreadable: list[str] = []

    def flag(self, name: str, *values: object) -> bool:
        """Read 0 and 1; of several values a 1 counts."""
        for value in values:
            if type(value) is not int or not 0 <= value <= 1:
                self.unreadable.append(name)
        return 1 in values

    def texts(self, name: str, *values: object) -> tuple[str, ...]:
        """Read texts; give the different ones that are not empty."""
        found: list[str] = []
        for value in values:
            if type(value) is not str:
                self.unreadable.append(name)
            elif value and value not in found:
                found.append(value)
        return tuple(found)

    def numbers(self, name: str, *values: object) -> tuple[int, ...]:
        """Read lists of whole numbers; give the different ones of all."""
        found: list[int] = []
        for value in values:
            if type(value) is list and len(value) <= MAX_SECTIONS and all(type(each) is int for each in value):
                found += value
            else:
                self.unreadable.append(name)
        return tuple(dict.fromkeys(found))

    def place(self, name: str, geo: Object | None) -> IpLocation:
        """Read country and region."""
        if geo is None:
            return UNKNOWN_LOCATION
        countries = self.texts(f"{name}.country", geo.get("country", ""))
        country = parse_country(countries[0]) if countries else None
        return location_of(country, geo.get("region", "")) if country else UNKNOWN_LOCATION


def _both(holder: Object, name: str) -> list[Any]:
    """Give a value from its place in OpenRTB 2.6 and from the one of 2.5, in the extension."""
    return [each[name] for each in (holder, holder.get("ext", _NOTHING)) if name in each]


def _regulations(ear: _Ear, regs: Object) -> Signals:
    if not regs:
        return NO_SIGNALS
    applies = _both(regs, "gdpr")
    strings = ear.texts("regs.gpp", *_both(regs, "gpp"))
    us_privacies = ear.texts("regs.us_privacy", *_both(regs, "us_privacy"))
    opt_outs = [_gpc(value) for value in _both(regs, "gpc")]
    return Signals(
        child_directed=ear.flag("regs.coppa", *_both(regs, "coppa")),
        global_privacy_control=ear.flag("regs.ext.gpc", *opt_outs),
        gdpr_applies=ear.flag("regs.gdpr", *applies) or "regs.gdpr" in ear.unreadable if applies else None,
        gpp=strings[0] if strings else "",
        more_gpps=strings[1:],
        gpp_section_ids=ear.numbers("regs.gpp_sid", *_both(regs, "gpp_sid")),
        us_privacy=us_privacies[0] if us_privacies else "",
        more_us_privacies=us_privacies[1:],
    )


def _gpc(value: object) -> object:
    """Read Global Privacy Control, which is written as a number and as a text."""
    return int(value) if isinstance(value, str) and value in {"0", "1"} else value


def _limits_tracking(ear: _Ear, device: Object, *, in_app: bool) -> bool:
    """Read Limit Ad Tracking, and what stands for it on Apple's devices since iOS 14. It can only add a limit."""
    limits = ear.flag("device.lmt", device.get("lmt", 0))
    version = _version(device.get("osv", ""))
    status = device.get("ext", _NOTHING).get("atts", _AUTHORISED)
    if type(status) is not int or not 0 <= status <= _AUTHORISED:
        ear.unreadable.append("device.ext.atts")
    elif status != _AUTHORISED and not (version and version < _FROM_ATTS):
        limits = True
    is_apple = device.get("os", "").strip().lower().startswith(_APPLE)
    has_id = device.get("ifa", "").strip().lower().strip("0-") not in _NO_ID
    # Of a version that nobody can read it may be either.
    return limits or (in_app and is_apple and not has_id and (version is None or version in _BEFORE_ATTS))


def _version(text: str) -> tuple[int, int] | None:
    found = _VERSION.fullmatch(text.strip().lower())
    return (int(found[1]), int(found[2] or 0)) if found else None
