"""Who is a child: the age of the place, and the youngest age that a request states."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.age import date_of, day_of, latest_birth_day, person_day
from targeting.children import age_limit, born_after, residence_of, states_child
from targeting.decision import plan
from targeting.model import AdRequest, Identity, Signals
from targeting.places.geo import IpLocation
from targeting.policy.policy import policy_from
from targeting.reasons import Reason
from targeting.signals.cookies import NO_COOKIES, Cookies
from targeting.signals.nap import Nap

NOW_S = 1_780_000_000.0
TODAY = person_day(NOW_S)
POLICY = policy_from(
    {"children": {"age": 13, "age_by_country": {"DE": 16, "US": 14}, "age_by_subdivision": {"US-CT": 18, "US-OR": 15}}}
)

PLACES = {
    "a country with an age of its own": ("DE", "", (), 16),
    "a country without": ("FR", "", (), 13),
    "no country: the highest of all": ("", "", (), 18),
    "a subdivision with an age of its own": ("US", "US-OR", (), 15),
    "a subdivision without": ("US", "US-OH", (), 14),
    "no subdivision: the highest in the country": ("US", "", (), 18),
    "a subdivision of another country": ("US", "CA-QC", (), 18),
    "a subdivision that the request shows besides": ("US", "US-OH", ("US-CT",), 18),
    "one that it shows alone": ("US", "", ("US-OR",), 15),
    "one that cannot be read": ("US", "US-OH", ("US-",), 18),
    "one of a country without ages for them": ("DE", "DE-BE", (), 16),
}


@pytest.mark.parametrize(("country", "subdivision", "shown", "age"), PLACES.values(), ids=PLACES)
def test_the_age_of_a_place(country: str, subdivision: str, shown: tuple[str, ...], age: int) -> None:
    request = AdRequest(ip_location=IpLocation(subdivision[:2], subdivision), shown_subdivisions=shown)
    assert age_limit(request, country, POLICY.children) == age


RESIDENCES = {
    "the person's setting": ("GB", "US", "KR", "GB"),
    "then the stored country": ("", "US", "KR", "US"),
    "then the cookie's": ("", "", "KR", "KR"),
    "then the address's": ("", "", "", "DE"),
}


@pytest.mark.parametrize(("client", "stored", "cookie", "expected"), RESIDENCES.values(), ids=RESIDENCES)
def test_the_country_of_residence_is(client: str, stored: str, cookie: str, expected: str) -> None:
    request = AdRequest(client_country=client, ip_location=IpLocation("DE", ""))
    assert residence_of(request, Cookies(countries=(cookie,)) if cookie else NO_COOKIES, stored) == expected


NAPS = {
    "none": ((), False),
    "one without an age": ((Nap(),), False),
    "just old enough": ((Nap(age=13),), False),
    "too young": ((Nap(age=12),), True),
    "two that disagree": ((Nap(age=40), Nap(age=12)), True),
}


@pytest.mark.parametrize(("naps", "is_child"), NAPS.values(), ids=NAPS)
def test_any_nap_cookie_of_a_child_says_so(naps: tuple[Nap, ...], is_child: bool) -> None:
    assert states_child(AdRequest(), naps, 13, TODAY) is is_child


@pytest.mark.parametrize(("days_after", "is_child"), [(-1, False), (0, False), (1, True)])
def test_a_birth_on_the_last_day_is_of_age(days_after: int, is_child: bool) -> None:
    of_age_day = latest_birth_day(TODAY, 13)
    request = AdRequest(signals=Signals(latest_birth_day=of_age_day + days_after))
    assert born_after(request, of_age_day) is is_child
    assert states_child(request, (), 13, TODAY) is is_child
    assert not born_after(AdRequest(), of_age_day)


def reasons_at(years: int, country: str) -> int:
    """The reasons of a request that states a year of birth, ``years`` before this one."""
    latest = day_of(date_of(TODAY).replace(year=date_of(TODAY).year - years, month=12, day=31))
    request = AdRequest(
        identity=Identity("alice"),
        ip_location=IpLocation(country, ""),
        signals=Signals(gdpr_applies=False, latest_birth_day=latest),
    )
    return plan([request], POLICY, NOW_S).items[0].verdict.reasons


YEARS = {
    "the youngest that the year allows is under age": (13, "FR", Reason.UNDER_AGE.bit),
    "it is of age": (14, "FR", 0),
    "not where the country's age is higher": (14, "DE", Reason.UNDER_AGE.bit),
    "of an unknown country the highest counts": (18, "", Reason.UNDER_AGE.bit),
    "and past that it is of age": (19, "", 0),
}


@pytest.mark.parametrize(("years", "country", "reasons"), YEARS.values(), ids=YEARS)
def test_a_stated_year_of_birth_limits_the_request_alone(years: int, country: str, reasons: int) -> None:
    assert reasons_at(years, country) == reasons


@given(st.integers(0, 40), st.sampled_from(["", "US", "DE", "FR"]))
def test_a_younger_person_is_never_less_limited(years: int, country: str) -> None:
    assert reasons_at(years, country) & ~reasons_at(max(years - 1, 0), country) == 0
