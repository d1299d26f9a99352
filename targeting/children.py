"""Whether a person is a child: the policy's age for the place, against what the request and its cookies state.

In doubt about the place the highest age counts that may apply there (``ChildrenPolicy.age_in``). This module knows no
record: the birth date in a preference record is compared by ``targeting.judge``.
"""

from collections.abc import Iterable

from targeting.age import latest_birth_day
from targeting.limited import residence
from targeting.model import AdRequest, LocaleInputs
from targeting.policy.policy import ChildrenPolicy
from targeting.signals.cookies import Cookies
from targeting.signals.nap import Nap


def age_limit(request: AdRequest, country: str, children: ChildrenPolicy) -> int:
    """Return the age (years) below which this person is a child, residing in a country (ISO 3166-1 alpha-2).

    A subdivision counts where it is in that country. Example: with ``US-CT = 18`` and 13 elsewhere, a person in the
    United States is a child below 18 in Connecticut and where the state is unknown, and below 13 in Ohio.
    """
    location = request.ip_location
    shown = (location.subdivision, *request.shown_subdivisions) if location.subdivision else request.shown_subdivisions
    return children.age_in(country, shown)


def residence_of(request: AdRequest, cookies: Cookies, stored_country: str = "") -> str:
    """Return the country of residence: without ``stored_country``, as far as the request alone shows it."""
    return residence(
        LocaleInputs(
            client_country=request.client_country,
            cookie_country=cookies.country,
            ip_location=request.ip_location,
            stored_country=stored_country,
        )
    )


def states_child(request: AdRequest, naps: Iterable[Nap], age: int, today: int) -> bool:
    """Whether the request states a person younger than ``age``: by a year of birth, or by any of its NAP cookies."""
    return born_after(request, latest_birth_day(today, age)) or any(
        nap.age is not None and nap.age < age for nap in naps
    )


def born_after(request: AdRequest, day: int) -> bool:
    """Whether the request states a birth that may be later than a day (counted from 1970-01-01)."""
    stated = request.signals.latest_birth_day
    return stated is not None and stated > day
