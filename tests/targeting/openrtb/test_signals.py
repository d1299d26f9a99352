"""Where the privacy signals of a bid request are read from, and which of two counts."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.age import day_of
from targeting.model import NO_SIGNALS, Signals
from targeting.openrtb.bid_request import read_bid_request
from targeting.openrtb.signals import RequestSignals
from targeting.places.geo import IpLocation

Json = dict[str, Any]
ZERO = "00000000-0000-0000-0000-000000000000"


def read(**fields: Any) -> RequestSignals:
    return read_bid_request(json.dumps({"id": "1", "imp": [{"id": "1"}], **fields}).encode()).request_signals


def regs(**fields: Any) -> Signals:
    return read(regs=fields).signals


def device(**fields: Any) -> Signals:
    return read(device=fields).signals


def test_without_any_signal() -> None:
    assert read().signals == NO_SIGNALS
    assert read(regs={}, user={}, device={}, app={}).signals == NO_SIGNALS


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"regs": {"coppa": 1}}, Signals(child_directed=True)),
        ({"regs": {"coppa": 0}}, Signals()),
        ({"regs": {"gdpr": 1}}, Signals(gdpr_applies=True)),
        ({"regs": {"gdpr": 0}}, Signals(gdpr_applies=False)),
        ({"regs": {"ext": {"gdpr": 1}}}, Signals(gdpr_applies=True)),
        ({"regs": {"ext": {"gdpr": 0}}}, Signals(gdpr_applies=False)),
        ({"user": {"ext": {"gdpr": 1}}}, Signals(gdpr_applies=True)),
        ({"user": {"ext": {"gdpr": 0}}}, Signals(gdpr_applies=False)),
        ({"regs": {"ext": {"s22580": 1}}}, Signals(child_directed=True)),
        ({"regs": {"ext": {"s22580": 0}}}, Signals()),
        ({"regs": {"us_privacy": "1YNN"}}, Signals(us_privacy="1YNN")),
        ({"regs": {"ext": {"us_privacy": "1YNN"}}}, Signals(us_privacy="1YNN")),
        ({"regs": {"gpp": "DBAA", "gpp_sid": [7, 8]}}, Signals(gpp="DBAA", gpp_section_ids=(7, 8))),
        ({"regs": {"ext": {"gpp": "DBAA", "gpp_sid": [7]}}}, Signals(gpp="DBAA", gpp_section_ids=(7,))),
        ({"regs": {"gpp_sid": []}}, Signals()),
        ({"regs": {"ext": {"gpc": 1}}}, Signals(global_privacy_control=True)),
        ({"regs": {"ext": {"gpc": "1"}}}, Signals(global_privacy_control=True)),
        ({"regs": {"ext": {"gpc": "0"}}}, Signals()),
        ({"user": {"consent": "CO"}}, Signals(tcf_consent="CO")),
        ({"user": {"ext": {"consent": "CO"}}}, Signals(tcf_consent="CO")),
        ({"device": {"lmt": 1}}, Signals(limit_ad_tracking=True)),
        ({"device": {"dnt": 1}}, Signals(do_not_track=True)),
    ],
)
def test_each_signal_is_read_from_both_versions_places(fields: Json, expected: Signals) -> None:
    assert read(**fields).signals == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"regs": {"gdpr": 0, "ext": {"gdpr": 1}}}, Signals(gdpr_applies=True)),
        ({"regs": {"gdpr": 1, "ext": {"gdpr": 0}}}, Signals(gdpr_applies=True)),
        ({"regs": {"gdpr": 0}, "user": {"ext": {"gdpr": 1}}}, Signals(gdpr_applies=True)),
        ({"regs": {"gdpr": 1}, "user": {"ext": {"gdpr": 0}}}, Signals(gdpr_applies=True)),
        ({"regs": {"gpc": 0, "ext": {"gpc": 1}}}, Signals(global_privacy_control=True)),
        ({"user": {"consent": "A", "ext": {"consent": "A"}}}, Signals(tcf_consent="A")),
        ({"user": {"consent": "A", "ext": {"consent": "B"}}}, Signals(tcf_consent="A", more_tcf_consents=("B",))),
        ({"user": {"consent": "", "ext": {"consent": "B"}}}, Signals(tcf_consent="B")),
        (
            {"regs": {"us_privacy": "1NNN", "ext": {"us_privacy": "1YYN"}}},
            Signals(us_privacy="1NNN", more_us_privacies=("1YYN",)),
        ),
        (
            {"regs": {"gpp": "A", "gpp_sid": [7], "ext": {"gpp": "B", "gpp_sid": [8, 7]}}},
            Signals(gpp="A", more_gpps=("B",), gpp_section_ids=(7, 8)),
        ),
    ],
)
def test_where_both_places_hold_one_the_more_restrictive_counts(fields: Json, expected: Signals) -> None:
    assert read(**fields).signals == expected


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"regs": {"coppa": "1"}}, "regs.coppa"),
        ({"regs": {"coppa": True}}, "regs.coppa"),
        ({"regs": {"coppa": 2}}, "regs.coppa"),
        ({"regs": {"ext": {"s22580": "1"}}}, "regs.ext.s22580"),
        ({"regs": {"gdpr": 0.5}}, "regs.gdpr"),
        ({"regs": {"gdpr": 0, "ext": {"gdpr": False}}}, "regs.ext.gdpr"),
        ({"regs": {"us_privacy": 1}}, "regs.us_privacy"),
        ({"regs": {"gpp": {}}}, "regs.gpp"),
        ({"regs": {"gpp_sid": 7}}, "regs.gpp_sid"),
        ({"regs": {"gpp_sid": [7, "8"]}}, "regs.gpp_sid"),
        ({"regs": {"gpp_sid": [True]}}, "regs.gpp_sid"),
        ({"regs": {"ext": {"gpc": "yes"}}}, "regs.ext.gpc"),
        ({"regs": {"ext": {"gpc": [1]}}}, "regs.ext.gpc"),
        ({"user": {"consent": 1}}, "user.consent"),
        ({"user": {"ext": {"consent": ["CO"]}}}, "user.ext.consent"),
        ({"device": {"lmt": "0"}}, "device.lmt"),
        ({"device": {"dnt": False}}, "device.dnt"),
        ({"device": {"ip": 1}}, "device.ip"),
        ({"device": {"ipv6": []}}, "device.ipv6"),
        ({"device": {"language": 1}}, "device.language"),
        ({"device": {"geo": {"country": 1}}}, "device.geo.country"),
        ({"user": {"geo": {"country": []}}}, "user.geo.country"),
        ({"device": {"ifa": 0}}, "device.ifa"),
        ({"device": {"os": ["iOS"]}}, "device.os"),
        ({"device": {"osv": 14.1}}, "device.osv"),
        ({"regs": "x"}, "regs"),
        ({"regs": [{"coppa": 1}]}, "regs"),
        ({"regs": {"ext": "x"}}, "regs.ext"),
        ({"user": 7}, "user"),
        ({"user": {"ext": True}}, "user.ext"),
        ({"user": {"ext": {"gdpr": "1"}}}, "user.ext.gdpr"),
        ({"user": {"geo": "USA"}}, "user.geo"),
        ({"device": "x"}, "device"),
        ({"device": {"ext": 0}}, "device.ext"),
        ({"device": {"geo": ["USA"]}}, "device.geo"),
        ({"app": "x"}, "app"),
        ({"Regs": {"coppa": 1, "x": 1}}, "regs"),
        ({"USER": {"Ext": {"consent": "CO"}, "x": 1}}, "user"),
        ({"Device": {"x": 1, "ifa": ZERO}}, "device"),
        ({"device": {"ext": {"atts": "3"}}}, "device.ext.atts"),
        ({"device": {"ext": {"atts": 4}}}, "device.ext.atts"),
    ],
)
def test_a_signal_in_another_form_is_unreadable(fields: Json, name: str) -> None:
    assert read(**fields).signals.unreadable == (name,)


def test_an_unreadable_gdpr_flag_does_not_end_the_gdprs_scope() -> None:
    assert regs(gdpr=0, ext={"gdpr": "0"}).gdpr_applies is True


@pytest.mark.parametrize("year", [1979, "1979", " 1979 ", 1979.0])
def test_a_year_of_birth_allows_an_age_until_its_last_day(year: Any) -> None:
    assert read(user={"yob": year}).signals.latest_birth_day == day_of(date(1979, 12, 31))


@pytest.mark.parametrize("year", [0, -1979, 79, "79", 1900, 10_000, 1979.5, "x", "१९७९", " ", True, [], {}, [1979]])
def test_an_impossible_year_of_birth_is_unreadable(year: Any) -> None:
    assert read(user={"yob": year}).signals == Signals(unreadable=("user.yob",))


@pytest.mark.parametrize("absent", [None, []])
def test_null_and_an_empty_array_for_an_object_are_absent(absent: Any) -> None:
    holders: Json = {"regs": absent, "user": absent, "device": absent, "app": absent}
    below: Json = {name: {"ext": absent, "geo": absent} for name in ("regs", "user", "device")}
    assert read(**holders) == read(**below) == read()


def test_null_for_a_signal_is_absent() -> None:
    flags = dict.fromkeys(("coppa", "gdpr", "gpp", "gpp_sid", "gpc", "us_privacy"))
    fields: Json = {
        "regs": {**flags, "ext": {**flags, "s22580": None}},
        "user": {"consent": None, "yob": None, "geo": {"country": None}, "ext": {"consent": None, "gdpr": None}},
        "device": {**dict.fromkeys(("lmt", "dnt", "ip", "ifa", "os", "osv", "language")), "ext": {"atts": None}},
    }
    assert read(**fields) == read()


@pytest.mark.parametrize(
    ("geo", "subdivisions"),
    [
        ({"country": "USA", "region": 6}, ("US-",)),
        ({"country": "USA", "region": {}}, ("US-",)),
        ({"country": "USA", "region": None}, ()),
        ({"country": "USA", "region": ""}, ()),
        ({"region": 6}, ()),
    ],
)
def test_a_region_of_another_type_may_be_any_of_its_country(geo: Json, subdivisions: tuple[str, ...]) -> None:
    assert read(device={"geo": geo}).subdivisions == subdivisions


def test_the_clients_own_switch_comes_from_the_call() -> None:
    text = json.dumps({"id": "1", "imp": [{"id": "1"}]}).encode()
    assert read_bid_request(text, targeted_ads_off=True).request_signals.signals == Signals(targeted_ads_off=True)


def test_addresses_language_and_places() -> None:
    found = read(
        app={},
        device={"ip": "192.0.2.1", "ipv6": "2001:db8::1", "language": "en", "geo": {"country": "USA", "region": "NY"}},
        user={"geo": {"country": "de", "region": "nowhere"}},
    )
    assert found.addresses == ("192.0.2.1", "2001:db8::1")
    assert found.language == "en"
    assert found.place == IpLocation("US", "US-NY")
    assert found.countries == ("US", "DE")
    assert found.in_app


@pytest.mark.parametrize("country", ["ZZZ", "", "United States", "1"])
def test_a_country_that_is_none_is_absent(country: str) -> None:
    found = read(device={"geo": {"country": country, "region": "NY"}})
    assert (found.place, found.countries, found.signals) == (IpLocation("", ""), (), NO_SIGNALS)


def test_the_language_with_more_to_say_is_taken() -> None:
    assert read(device={"language": "en", "langb": "en-GB"}).language == "en-GB"


def test_nothing_of_the_person_is_shown() -> None:
    text = b'{"id":"1","imp":[{"id":"1"}],"user":{"id":"secret","consent":"secret"},"device":{"ip":"secret"}}'
    bid_request = read_bid_request(text)
    assert "secret" not in f"{bid_request!r} {bid_request.request_signals!r}"


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 20) | st.floats(0, 2) | st.sampled_from(["0", "1", "1YYN", "x", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
signals = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("coppa", "gdpr", "us_privacy", "gpp", "gpp_sid", "gpc", "consent", "dnt", "lmt"), anything),
)


def count(found: Signals) -> int:
    """How much limits."""
    flags = (found.child_directed, found.global_privacy_control, found.do_not_track, found.limit_ad_tracking)
    return sum(flags) + bool(found.unreadable)


@given(signals, signals)
def test_the_place_of_25_never_takes_back_what_that_of_26_says(here: Json, there: Json) -> None:
    alone = read(regs=here, user=here, device=here).signals
    both = read(regs=here | {"ext": there}, user=here | {"ext": there}, device=here).signals
    assert count(both) >= count(alone)
    assert {alone.tcf_consent, alone.gpp, alone.us_privacy} - {""} <= {
        *(both.tcf_consent, both.gpp, both.us_privacy),
        *(both.more_tcf_consents + both.more_gpps + both.more_us_privacies),
    }
    assert alone.gdpr_applies is not True or both.gdpr_applies is True
