"""The privacy signals of a bid request, from where OpenRTB 2.5 and 2.6 keep them.

Where a signal is in both places the more restrictive one counts, and of two different strings each must allow.
Invariant: a signal that is there in another form than the specification's is unreadable, and limits; nothing that
is read here can make a decision less restrictive than its absence would, but for a stated country or ``gdpr: 0``.
Knows nothing of what a signal leads to.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

from targeting.geo import UNKNOWN_LOCATION, IpLocation, location_of
from targeting.locale import parse_country
from targeting.model import NO_SIGNALS, Signals
from targeting.openrtb_forms import DEVICE, DEVICE_EXT, PROVIDER_SETTINGS, REGS, USER, USER_EXT, Form, is_text

Object = Mapping[str, Any]

_NOTHING: Final[Object] = {}
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
    signals = _regulations(ear, regs) if regs else NO_SIGNALS
    do_not_track = ear.flag("device.dnt", DEVICE["dnt"], _values("dnt", device))
    limit_ad_tracking = _limits_tracking(ear, device, in_app=in_app)
    consents = ear.texts("user.consent", USER["consent"], _values("consent", *_places(user)))
    # What these say is between the sender and the networks.
    for settings in PROVIDER_SETTINGS:
        ear.values(f"user.ext.{settings}", USER_EXT[settings], _values(settings, user.get("ext", _NOTHING)))
    place, home = ear.place("device.geo", device.get("geo")), ear.place("user.geo", user.get("geo"))
    languages = ear.texts("device.language", is_text, [*_values("langb", device), *_values("language", device)])
    addresses = ear.texts("device.ip", is_text, [*_values("ip", device), *_values("ipv6", device)])
    return Heard(
        signals._replace(
            targeted_ads_off=targeted_ads_off,
            do_not_track=do_not_track,
            limit_ad_tracking=limit_ad_tracking,
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
    """Reads values by their form, and keeps the names of those that do not have it."""

    __slots__ = ("unreadable",)

    def __init__(self) -> None:
        self.unreadable: list[str] = []

    def values(self, name: str, form: Form, values: Sequence[Any]) -> list[Any]:
        """Give the values that have the form."""
        heard = [value for value in values if form(value)]
        self.unreadable += [name] * (len(values) - len(heard))
        return heard

    def flag(self, name: str, form: Form, values: Sequence[Any]) -> bool:
        """Read flags; of several a 1 counts."""
        return bool(values) and not _SET.isdisjoint(self.values(name, form, values))

    def texts(self, name: str, form: Form, values: Sequence[Any]) -> tuple[str, ...]:
        """Read texts; give the different ones that are not empty."""
        return tuple(dict.fromkeys(filter(None, self.values(name, form, values)))) if values else ()

    def place(self, name: str, geo: Object | None) -> IpLocation:
        """Read country and region."""
        if geo is None:
            return UNKNOWN_LOCATION
        countries = self.texts(f"{name}.country", is_text, _values("country", geo))
        country = parse_country(countries[0]) if countries else None
        return location_of(country, geo.get("region", "")) if country else UNKNOWN_LOCATION


def _places(holder: Object) -> tuple[Object, ...]:
    """Give where OpenRTB 2.6 keeps a signal, and where 2.5 does: in the extension."""
    return (holder, holder["ext"]) if "ext" in holder else (holder,)


def _values(name: str, *places: Object) -> list[Any]:
    return [place[name] for place in places if name in place]


def _regulations(ear: _Ear, regs: Object) -> Signals:
    places = _places(regs)
    child_directed = ear.flag("regs.coppa", REGS["coppa"], _values("coppa", *places))
    applies = _values("gdpr", *places)
    strings = ear.texts("regs.gpp", REGS["gpp"], _values("gpp", *places))
    us_privacies = ear.texts("regs.us_privacy", REGS["us_privacy"], _values("us_privacy", *places))
    sections = ear.values("regs.gpp_sid", REGS["gpp_sid"], _values("gpp_sid", *places))
    return Signals(
        child_directed=child_directed,
        global_privacy_control=ear.flag("regs.ext.gpc", REGS["gpc"], _values("gpc", *places)),
        # One that cannot be read may as well say yes.
        gdpr_applies=ear.flag("regs.gdpr", REGS["gdpr"], applies) or "regs.gdpr" in ear.unreadable if applies else None,
        gpp=strings[0] if strings else "",
        more_gpps=strings[1:],
        gpp_section_ids=tuple(dict.fromkeys(chain.from_iterable(sections))),
        us_privacy=us_privacies[0] if us_privacies else "",
        more_us_privacies=us_privacies[1:],
    )


def _limits_tracking(ear: _Ear, device: Object, *, in_app: bool) -> bool:
    """Read Limit Ad Tracking, and what stands for it on Apple's devices since iOS 14. It can only add a limit."""
    limits = ear.flag("device.lmt", DEVICE["lmt"], _values("lmt", device))
    version = _version(device.get("osv", ""))
    statuses = ear.values("device.ext.atts", DEVICE_EXT["atts"], _values("atts", device.get("ext", _NOTHING)))
    if statuses and statuses[0] != _AUTHORISED and not (version and version < _FROM_ATTS):
        limits = True
    is_apple = device.get("os", "").strip().lower().startswith(_APPLE)
    has_id = device.get("ifa", "").strip().lower().strip("0-") not in _NO_ID
    # Of a version that nobody can read it may be either.
    return limits or (in_app and is_apple and not has_id and (version is None or version in _BEFORE_ATTS))


def _version(text: str) -> tuple[int, int] | None:
    found = _VERSION.fullmatch(text.strip().lower())
    return (int(found[1]), int(found[2] or 0)) if found else None
