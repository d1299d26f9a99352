"""Invented people with a mark in everything that must not be sent to a network, and bid requests about them.

A seed determines the person, so a seed reproduces a case. A mark is a text or number that occurs nowhere else: a mark
in the output is a leak.
"""

from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Any, NamedTuple

from targeting.age import day_of
from targeting.model import Gender, Subject, SubjectKind
from targeting.records.preference import Choice, Preference
from targeting.records.profile import HeldDestination, HeldExposure, HeldInterest, Profile, SegmentKind
from tests.targeting.openrtb.preparing import NOW_S, Json

MARK = "zqz"
"""In values that no network may ever receive."""
DESCRIPTION_MARK = "zqd"
"""In the description of the device: not with limited features."""
BUYER_MARK = "zqb"
"""Prefix of a network's buyeruid, before the network's name: for that network alone."""
PARAMETER_MARK = "zqp"
"""Prefix of a network's own parameters, before its name: for that network alone."""
PLACE_MARK = "zqc"
"""In the place where the ad is shown, which every network receives unchanged."""
NUMBER_MARK = 90_807_060
POSITION_MARK = "7771237"
FULL_V4, MASKED_V4 = "203.0.113.{}", "203.0.113.0"
FULL_V6 = "2001:db8:44:5500:7a7a:7b7b:{:x}:1"
DESTINATION = "WF"

_SEGMENTS = [str(code) for code in (5, 49, 100, 246, 371, 382, 466, 663, 705, 727, 736, 751, 1659)]
_BROWSERS = ("Chrome/{}.0.{mark} Safari/537.36", "Firefox/{}.0{mark}", "Edg/{}.{mark} Chrome/120.0")


class Person(NamedTuple):
    """A person: ids in the call, records in the store, and what the bid request says."""

    account_id: str
    linked_ids: tuple[str, ...]
    device_id: str
    preference: Preference
    profile: Profile
    user: Json
    device: Json
    others: Json
    """Other parts of the request: the extensions of the impressions and of the request."""

    @property
    def subjects(self) -> list[Subject]:
        return [
            Subject(SubjectKind.ACCOUNT, self.account_id),
            Subject(SubjectKind.DEVICE, self.device_id),
            *(Subject(SubjectKind.ACCOUNT, each) for each in self.linked_ids),
        ]


class _Pen:
    """Writes distinct marks."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def mark(self, what: str) -> str:
        return f"{what}{MARK}{self.random.getrandbits(32):08x}"

    def buyer(self, network: str) -> str:
        return f"{BUYER_MARK}{network.casefold()}-{self.random.getrandbits(32):08x}"

    def described(self, what: str) -> str:
        return f"{what}{DESCRIPTION_MARK}{self.random.getrandbits(32):08x}"

    def number(self) -> int:
        return NUMBER_MARK * 1000 + self.random.randrange(1000)

    def degrees(self) -> float:
        return float(f"{self.random.randrange(-80, 80)}.{self.random.randrange(10, 99)}{POSITION_MARK}")

    def geo(self) -> Json:
        return {
            "lat": self.degrees(),
            "lon": self.degrees(),
            "accuracy": self.random.randrange(1, 50),
            "city": self.mark("city"),
            "zip": self.mark("zip"),
            "metro": self.mark("metro"),
            "regionfips104": self.mark("fips"),
            "utcoffset": self.number(),
            "ext": {"street": self.mark("street")},
            "newfield": self.mark("new"),
        }


def invent_person(seed: int, *, browser: int = 0, country: str = "USA", language: str = "en") -> Person:
    """Invent a person; people of one browser, country and language have nothing else in common."""
    pen = _Pen(Random(seed))
    identity = pen.mark("account"), (pen.mark("linked"), pen.mark("linked")), pen.mark("device")
    return Person(
        *identity,
        _preference(pen.random),
        _profile(pen),
        _user(pen, country),
        _device(pen, browser, country, language),
        _others(pen),
    )


def _preference(random: Random) -> Preference:
    birthday = date(random.randrange(1930, 2005), random.randrange(1, 13), random.randrange(1, 29))
    return Preference(choice=random.choice((Choice.NONE, Choice.OPT_IN)), birth_day=day_of(birthday))


def _profile(pen: _Pen) -> Profile:
    random = pen.random
    return Profile(
        gender=random.choice(list(Gender)),
        occupation=pen.mark("job"),
        postal_code=f"{MARK}{random.randrange(10_000)}",
        interests=tuple(
            HeldInterest(segment, random.choice(list(SegmentKind)), random.random(), NOW_S - random.randrange(10**6))
            for segment in (*random.sample(_SEGMENTS, 8), pen.mark("outside:"), pen.mark("outside:"))
        ),
        destinations=(HeldDestination(DESTINATION, 3, NOW_S), HeldDestination("KM", 1, NOW_S)),
        exposures=tuple(HeldExposure(pen.mark("ad"), 3, 1, NOW_S - index) for index in range(3)),
        version=random.randrange(1, 99),
        created_s=NOW_S - 10**7,
        updated_s=NOW_S - random.randrange(1000),
    )


def _user(pen: _Pen, country: str) -> Json:
    return {
        "id": pen.mark("user"),
        "buyeruid": pen.mark("buyer"),
        "yob": pen.random.randrange(1930, 2005),
        "gender": pen.mark("gender"),
        "keywords": pen.mark("word"),
        "kwarray": [pen.mark("word")],
        "customdata": pen.mark("custom"),
        "geo": {"country": country, **pen.geo()},
        "data": [
            {
                "id": pen.mark("data"),
                "name": pen.mark("data"),
                "segment": [{"id": pen.mark("segment"), "name": pen.mark("segment"), "value": pen.mark("value")}],
                "ext": {"segtax": 4, "x": pen.mark("data")},
            }
        ],
        "eids": [{"source": "id.example.com", "uids": [{"id": pen.mark("eid"), "ext": {"x": pen.mark("eid")}}]}],
        "ext": {
            "eids": [{"source": "id.example.com", "uids": [{"id": pen.mark("eid")}]}],
            "prebid": {"buyeruids": {name: pen.buyer(name) for name in ("acme", "other", "net0", "Net1", "net2")}},
            "fpd": {"name": pen.mark("name")},
            "consented_providers_settings": {"consented_providers": "1~2", "x": pen.mark("x")},
            "data": {"email": pen.mark("email")},
        },
        "newfield": {"deep": [pen.mark("new")]},
    }


def _device(pen: _Pen, browser: int, country: str, language: str) -> Json:
    version = f"{pen.random.randrange(60, 130)}"
    agent = _BROWSERS[browser].format(version, mark=pen.described("ua"))
    identifiers = ("ifa", "didsha1", "didmd5", "dpidsha1", "dpidmd5", "macsha1", "macmd5")
    described = ("make", "model", "osv", "hwv", "flashver", "carrier", "mccmnc")
    return {
        "ua": f"Mozilla/5.0 (Windows NT 10.0) {agent}",
        "sua": {
            "platform": {"brand": "Windows", "version": [pen.described("os")], "ext": {"x": pen.mark("sua")}},
            "model": pen.described("model"),
            "architecture": pen.described("arch"),
            "ext": {"x": pen.mark("sua")},
            "newfield": pen.mark("sua"),
        },
        "os": pen.random.choice(("Windows", "windows 11", "Windows 10")),
        "devicetype": 2,
        **{name: pen.described(name) for name in described},
        **{name: pen.mark(name) for name in identifiers},
        "ip": FULL_V4.format(pen.random.randrange(100, 255)),
        "ipv6": FULL_V6.format(pen.random.randrange(0x1000, 0xFFFF)),
        "geo": {"country": country, "region": "NY", **pen.geo()},
        "language": language,
        "ext": {"ifv": pen.mark("ifv"), "ifa_type": pen.mark("type"), "cdep": pen.mark("cdep")},
        "newfield": pen.mark("new"),
    }


def _others(pen: _Pen) -> Json:
    """Parameters of networks, each with what must not pass even to the network itself."""
    bidders = {name: _parameters(pen, name) for name in ("acme", "other", "net0", "net1", "Net2", "stranger")}
    return {
        "imp_ext": {
            "gpid": "/1/slot",
            "prebid": {"bidder": bidders, "x": pen.mark("x")},
            "acme": _parameters(pen, "acme"),
            "net1": _parameters(pen, "net1"),
            "data": {"pbadslot": "/1/slot", "interests": pen.mark("x")},
            "newfield": pen.mark("new"),
        },
        "ext": {
            "prebid": {
                "channel": {"name": "web"},
                "bidderparams": {"net0": _parameters(pen, "net0")},
                "bidderconfig": [{"bidders": ["net0"], "config": {"ortb2": {"user": {"keywords": pen.mark("x")}}}}],
                "data": {"eidpermissions": [{"source": pen.mark("x"), "bidders": ["net0"]}]},
            },
            "acme": _parameters(pen, "acme"),
            "Net1": _parameters(pen, "net1"),
            "newfield": pen.mark("new"),
        },
        "misspelt": {"User": {"id": pen.mark("id")}, "DEVICE": pen.mark("id"), "Ext": [pen.mark("id")]},
    }


def _parameters(pen: _Pen, network: str) -> Json:
    return {
        # Describes the page, so it is the same for every visitor.
        "placementId": f"{PARAMETER_MARK}{network.casefold()}-slot",
        "siteId": {"nested": pen.mark("nested")},
        "uid": pen.mark("uid"),
        "keywords": {"interest": [pen.mark("word")]},
    }


def bid_request(person: Person, **fields: Any) -> Json:
    """A bid request about a person; ``fields`` are added at the top level."""
    others = person.others
    return {
        "id": "1",
        "imp": [
            {"id": "1", "banner": {"w": 300, "h": 250}, "ext": others["imp_ext"]},
            {"id": "2", "video": {"mimes": ["video/mp4"]}, "Ext": others["misspelt"]},
        ],
        "site": {"id": PLACE_MARK, "page": "https://news.example.com/", "ext": {"data": {"section": "sport"}}},
        "user": person.user,
        "device": person.device,
        "ext": others["ext"],
        **others["misspelt"],
        **fields,
    }


def marks() -> Iterator[bytes]:
    """Yield the marks that no network may receive."""
    yield MARK.encode()
    yield str(NUMBER_MARK).encode()
    yield f'"{DESTINATION}"'.encode()
    yield b"WLF"
