"""Where the policy asks for an explicit opt-in: places, and the consent that answers it."""

import pytest

from targeting.decision import plan
from targeting.model import AdRequest, Identity, Signals
from targeting.opt_in import needs_opt_in
from targeting.places.geo import IpLocation
from targeting.policy.policy import policy_from
from tests.targeting.signals.gpp.gpp_encoder import canadian_fields, canadian_section, gpp
from tests.targeting.signals.strings import STRINGS

NOW_S = 1_780_000_000.0
NOT_IN_SCOPE = Signals(gdpr_applies=False)


def asks(request: AdRequest, *places: str, stored: tuple[str, ...] = ()) -> bool:
    policy = policy_from({"gdpr": {"host_vendor_id": 755}, "consent": {"explicit_opt_in_in": list(places)}})
    item = plan([request], policy, NOW_S).items[0]
    return needs_opt_in(item.request, item.cookies, item.verdict.consent, stored, policy)


QUEBEC = IpLocation("CA", "CA-QC")
PLACES = {
    "nothing is listed": ((), IpLocation("", ""), "", (), (), False),
    "the country": (("BR",), IpLocation("BR", ""), "", (), (), True),
    "the country of a known subdivision": (("CA",), QUEBEC, "", (), (), True),
    "the country beside another of its subdivisions": (("CA-ON", "CA"), QUEBEC, "", (), (), True),
    "another country": (("BR",), IpLocation("US", ""), "", (), (), False),
    "the subdivision": (("CA-QC",), QUEBEC, "", (), (), True),
    "another subdivision": (("CA-QC",), IpLocation("CA", "CA-ON"), "", (), (), False),
    "no subdivision is known": (("CA-QC",), IpLocation("CA", ""), "", (), (), True),
    "one that cannot be read": (("CA-QC",), IpLocation("CA", "CA-ON"), "", (), ("CA-",), True),
    "no country is known": (("CA-QC",), IpLocation("", ""), "", (), (), True),
    "the setting names it, and the address another": (("BR",), IpLocation("US", ""), "bra", (), (), True),
    "the store names it, and the address another": (("BR",), IpLocation("US", ""), "", ("BR",), (), True),
    "somewhere in Europe": (("DE",), IpLocation("EU", ""), "", (), (), True),
    "somewhere in Europe, and it is elsewhere": (("BR",), IpLocation("EU", ""), "", (), (), False),
    "the address names it, and the setting another": (("BR",), IpLocation("BR", ""), "US", (), (), True),
}


@pytest.mark.parametrize(("places", "location", "client", "stored", "shown", "expected"), PLACES.values(), ids=PLACES)
def test_where_an_opt_in_is_needed(
    places: tuple[str, ...],
    location: IpLocation,
    client: str,
    stored: tuple[str, ...],
    shown: tuple[str, ...],
    expected: bool,
) -> None:
    request = AdRequest(
        identity=Identity("alice"),
        client_country=client,
        ip_location=location,
        shown_subdivisions=shown,
        signals=NOT_IN_SCOPE,
    )
    assert asks(request, *places, stored=stored) is expected


ELSEWHERE = AdRequest(identity=Identity("alice"), ip_location=IpLocation("US", ""), signals=NOT_IN_SCOPE)
IN_BRAZIL = {
    "the setting": (ELSEWHERE._replace(client_country="BR"), ()),
    "the address": (ELSEWHERE._replace(client_country="US", ip_location=IpLocation("BR", "")), ()),
    "the cookie": (ELSEWHERE._replace(cookie_header="CC=BR"), ()),
    "one of two cookies": (ELSEWHERE._replace(cookie_header="CC=US; CC=BR"), ()),
    "the bid request": (ELSEWHERE._replace(shown_countries=("US", "BR")), ()),
    "the store": (ELSEWHERE, ("US", "BR")),
}


@pytest.mark.parametrize(("request_", "stored"), IN_BRAZIL.values(), ids=IN_BRAZIL)
def test_a_place_counts_whoever_names_it(request_: AdRequest, stored: tuple[str, ...]) -> None:
    assert asks(request_, "BR", stored=stored)
    assert asks(request_, "DE", "BR", stored=stored)
    assert not asks(request_, "DE", stored=stored)


CONSENTS = {
    "none": (NOT_IN_SCOPE, ("DE",), True),
    "a TC string": (Signals(gdpr_applies=True, tcf_consent=STRINGS["tcf-consent"]), ("DE",), False),
    "a TC string without a basis": (Signals(gdpr_applies=True, tcf_consent=STRINGS["tcf-refusal"]), ("DE",), True),
    "a TC string out of scope": (Signals(gdpr_applies=False, tcf_consent=STRINGS["tcf-consent"]), ("DE",), True),
    "a TC string, for one of two places": (
        Signals(gdpr_applies=True, tcf_consent=STRINGS["tcf-consent"]),
        ("DE", "BR"),
        True,
    ),
}


CANADIAN = gpp({5: canadian_section(canadian_fields())})
IN_CANADA = {
    "the section, for a province": (NOT_IN_SCOPE._replace(gpp=CANADIAN, gpp_section_ids=(5,)), "CA-QC", False),
    "the section, for the country": (NOT_IN_SCOPE._replace(gpp=CANADIAN, gpp_section_ids=(5,)), "CA", False),
    "the section, which is not named": (NOT_IN_SCOPE._replace(gpp=CANADIAN), "CA-QC", True),
    "the section of another country": (
        NOT_IN_SCOPE._replace(gpp=STRINGS["usnat-allows"], gpp_section_ids=(7,)),
        "CA-QC",
        True,
    ),
}


@pytest.mark.parametrize(("signals", "place", "expected"), IN_CANADA.values(), ids=IN_CANADA)
def test_what_answers_it_in_canada(signals: Signals, place: str, expected: bool) -> None:
    assert asks(AdRequest(identity=Identity("alice"), ip_location=QUEBEC, signals=signals), place) is expected


@pytest.mark.parametrize("place", ["BR", "US-CA"])
def test_what_answers_it_in_canada_answers_it_nowhere_else(place: str) -> None:
    signals = NOT_IN_SCOPE._replace(gpp=CANADIAN, gpp_section_ids=(5,))
    location = IpLocation(place[:2], place if "-" in place else "")
    request = AdRequest(identity=Identity("alice"), ip_location=location, shown_countries=("CA",), signals=signals)
    assert asks(request, place)
    assert not asks(request, "CA")


@pytest.mark.parametrize(("signals", "places", "expected"), CONSENTS.values(), ids=CONSENTS)
def test_what_answers_it(signals: Signals, places: tuple[str, ...], expected: bool) -> None:
    request = AdRequest(
        identity=Identity("alice"),
        ip_location=IpLocation("DE", ""),
        shown_countries=("BR",) if "BR" in places else (),
        signals=signals,
    )
    assert asks(request, *places) is expected
