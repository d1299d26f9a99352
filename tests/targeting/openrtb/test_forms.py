"""A signal or consent in its valid form is passed on unchanged; in any other it limits and is sent to no network."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from targeting.openrtb.forms import DEVICE_EXT, USER_EXT
from targeting.policy.policy import BidRequestPolicy, GdprPolicy
from tests.targeting.openrtb.one_network import ALLOWED, LEAST, POLICY, US
from tests.targeting.openrtb.preparing import Json, Prepared, asking, prepare
from tests.targeting.signals.strings import STRINGS, VENDOR

Values = tuple[list[Any], list[Any]]
"""Valid values, and invalid ones."""

HIDDEN = {"email": "hidden"}
FLAG: Values = ([0, 1], [HIDDEN, "", "2", "yes", 2, -1, 0.0, 1.0])
FLAG_OR_TEXT: Values = ([0, 1, "0", "1"], [HIDDEN, "", "2", "yes", 2, 0.0])
TEXT: Values = (["", "1YNN", "x", "é"], [HIDDEN, 0, 1, True])
SECTIONS: Values = (
    [[], [7], [-1], [2, 65_535]],
    [HIDDEN, 7, "7", ["7"], [True], [7.0], [-2], [65_536], [7] * 33],
)
STATUS: Values = ([0, 1, 2, 3], [HIDDEN, "3", True, 4, -1, 3.0])
NO_PROVIDERS: list[Any] = [7, None, {}, ["7"], [True], [-1], [2**31]]
PROVIDERS: Values = (
    [{"consented_providers": ""}, {"consented_providers": "1~7.12"}, {"consented_providers": [0, 7, 12]}],
    [7, *({"consented_providers": each} for each in NO_PROVIDERS)],
)
HIDING: list[Any] = [["hidden"], [HIDDEN], [[1]], [1, "hidden"]]

PLACES: dict[str, Values] = {
    "regs.coppa": FLAG,
    "regs.ext.coppa": FLAG,
    "regs.gdpr": FLAG,
    "regs.ext.gdpr": FLAG,
    "regs.us_privacy": TEXT,
    "regs.ext.us_privacy": TEXT,
    "regs.gpp": TEXT,
    "regs.ext.gpp": TEXT,
    "regs.gpp_sid": SECTIONS,
    "regs.ext.gpp_sid": SECTIONS,
    "regs.gpc": FLAG_OR_TEXT,
    "regs.ext.gpc": FLAG_OR_TEXT,
    "user.consent": TEXT,
    "user.ext.consent": TEXT,
    "user.ext.gdpr": FLAG,
    "regs.ext.s22580": FLAG,
    "user.ext.consented_providers_settings": PROVIDERS,
    "user.ext.ConsentedProvidersSettings": PROVIDERS,
    "device.dnt": FLAG,
    "device.lmt": FLAG,
    "device.ext.atts": STATUS,
}
WELL_FORMED = [(place, value) for place, (good, _) in PLACES.items() for value in good]
ILL_FORMED = [(place, value) for place, (_, bad) in PLACES.items() for value in (*bad, *HIDING)]


CONSENTED = replace(POLICY, gdpr=GdprPolicy(host_vendor_id=VENDOR), networks=(replace(ALLOWED, tcf_vendor_id=VENDOR),))


def prepared_with(place: str, value: object) -> Prepared:
    """Prepare a bid request with full consent and a value in one place."""
    request: Json = {**LEAST, "device": dict(US), "regs": {"gdpr": 0}}
    if place not in {"user.consent", "user.ext.consent"}:
        request["user"] = {"consent": STRINGS["tcf-consent"]}
    *above, name = place.split(".")
    at = request
    for each in above:
        at = at.setdefault(each, {})
    at[name] = value
    return prepare(asking(request, ["net"]), policy=CONSENTED)


def held(request: Json, place: str) -> object:
    """The value in one place of a prepared request, or None."""
    at: Any = request
    for name in place.split("."):
        at = at.get(name) if isinstance(at, dict) else None
    return at


@pytest.mark.parametrize(("place", "value"), WELL_FORMED)
def test_a_valid_form_is_passed_on_unchanged(place: str, value: object) -> None:
    prepared = prepared_with(place, value)
    assert held(prepared.bid_requests["net"], place) == value


@pytest.mark.parametrize(("place", "value"), ILL_FORMED)
def test_an_invalid_form_limits_and_is_sent_to_no_network(place: str, value: object) -> None:
    prepared = prepared_with(place, value)
    assert prepared.decision.mode == pb.MODE_LIMITED
    assert pb.REASON_SIGNAL_UNREADABLE in prepared.decision.reasons
    assert held(prepared.bid_requests["net"], place) is None
    assert b"hidden" not in prepared.texts["net"]


@pytest.mark.parametrize("value", [True, False, "0", "1"])
@pytest.mark.parametrize("place", [place for place, values in PLACES.items() if values is FLAG])
def test_a_flag_in_the_form_of_another_bit_limits_and_goes_out_as_it_came(place: str, value: object) -> None:
    prepared = prepared_with(place, value)
    assert prepared.decision.mode == pb.MODE_LIMITED
    assert pb.REASON_SIGNAL_UNREADABLE in prepared.decision.reasons
    assert held(prepared.bid_requests["net"], place) is value


@pytest.mark.parametrize(
    "misspelt",
    [
        {"Regs": {"coppa": 1}},
        {"REGS": {"GPP_SID": [7]}},
        {"regs": {"COPPA": 1}},
        {"regs": {"ext": {"Coppa": 1}}},
        {"User": {"consent": "x"}},
        {"device": {**US, "LMT": 1}},
    ],
    ids=["regs", "regs and a name", "a flag", "a flag in an extension", "user", "a flag of the device"],
)
def test_a_signal_in_another_case_limits_and_is_sent_to_no_network(misspelt: Json) -> None:
    prepared = prepare(asking({**LEAST, "device": US, **misspelt}, ["net"]), policy=POLICY)
    assert prepared.decision.mode == pb.MODE_LIMITED
    assert pb.REASON_SIGNAL_UNREADABLE in prepared.decision.reasons
    for name in ("Regs", "REGS", "COPPA", "Coppa", "User", "LMT"):
        # An unreadable ``regs`` may say that the GDPR applies; the network may then not even be contacted.
        assert f'"{name}"'.encode() not in prepared.texts.get("net", b"")


@pytest.mark.parametrize("providers", [{}, {"x": "hidden"}], ids=["nothing", "something else"])
def test_settings_of_providers_without_consents_say_nothing(providers: Json) -> None:
    prepared = prepared_with("user.ext.consented_providers_settings", providers)
    assert prepared.decision.mode == pb.MODE_BEHAVIOURAL
    assert "ext" not in prepared.bid_requests["net"].get("user", {})


@pytest.mark.parametrize(
    ("holder", "name"), [*product(["user"], USER_EXT), *product(["device"], DEVICE_EXT)], ids="-".join
)
def test_a_policy_that_names_a_signal_lets_no_other_form_of_it_through(holder: str, name: str) -> None:
    policy = replace(CONSENTED, bid_request=BidRequestPolicy(user_ext=(name,), device_ext=(name,)))
    request: Json = {**LEAST, "device": dict(US), "user": {"consent": STRINGS["tcf-consent"]}, "regs": {"gdpr": 0}}
    request[holder]["ext"] = {name: ["hidden"]}
    prepared = prepare(asking(request, ["net"]), policy=policy)
    assert "ext" not in prepared.bid_requests["net"][holder]


DSA: Json = {"dsarequired": 3, "pubrender": 0, "datatopub": 2}
BY_WHOM: Json = {"transparency": [{"domain": "ads.example.com", "dsaparams": [1, 2]}, {}]}
IN_PART: Json = {"dsarequired": 3, "datatopub": 2}


@pytest.mark.parametrize(
    ("regs", "stays"),
    [
        pytest.param({"ext": {"dsa": DSA}}, {"ext": {"dsa": DSA}}, id="what an ad must show"),
        pytest.param({"ext": {"dsa": BY_WHOM}}, {"ext": {"dsa": BY_WHOM}}, id="by whom"),
        pytest.param({"ext": {"dsa": {**DSA, "pubrender": "hidden", "x": 1}}}, {"ext": {"dsa": IN_PART}}, id="in part"),
        pytest.param({"ext": {"dsa": {"transparency": [{"domain": ["hidden"]}]}}}, {}, id="an invalid domain"),
        pytest.param({"ext": {"dsa": {"transparency": [{"dsaparams": ["hidden"]}]}}}, {}, id="how, in another form"),
        pytest.param({"ext": {"dsa": {"transparency": [{"x": "hidden"}, 1]}}}, {}, id="something else"),
        pytest.param({"ext": {"dsa": {"transparency": ["hidden"]}}}, {}, id="no objects"),
        pytest.param({"ext": {"dsa": {"transparency": "hidden"}}}, {}, id="no list"),
        pytest.param({"ext": {"dsa": ["hidden"]}}, {}, id="no object"),
        pytest.param({"email": "hidden", "lgpd": "hidden", "ext": {"x": "hidden"}}, {}, id="unknown names"),
    ],
)
def test_of_the_rest_of_regs_only_what_the_specifications_name_stays(regs: Json, stays: Json) -> None:
    prepared = prepare(asking({**LEAST, "device": US, "regs": regs}, ["net"]), policy=POLICY)
    assert prepared.decision.mode == pb.MODE_BEHAVIOURAL
    assert prepared.bid_requests["net"].get("regs", {}) == stays


def test_a_signal_in_another_form_is_not_replaced_by_that_of_the_other_place() -> None:
    regs = {"us_privacy": 1, "ext": {"us_privacy": "1YNN"}}
    prepared = prepare(asking({**LEAST, "regs": regs, "device": US}, ["net"]), policy=POLICY)
    assert prepared.bid_requests["net"]["regs"] == {"ext": {"us_privacy": "1YNN"}}
