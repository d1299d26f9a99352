"""A few people of the sample population who stand for a sort of person: for the demo, and to try commands with."""

from collections.abc import Callable, Iterable
from enum import Enum

from server.sample.person import Known, Person, WayOut

_MANY_INTEREST_BYTES = 150


class Role(Enum):
    """A sort of person."""

    PROFILED = "a profile, and no choice made"
    OPTED_OUT = "opted out for the account"
    CHILD = "a child"
    UNKNOWN = "nothing is known"
    EUROPEAN = "in the EEA, without consent"


def cast(people: Iterable[Person]) -> dict[Role, Person]:
    """Find the first person for each role; a role that nobody fits is left out."""
    found: dict[Role, Person] = {}
    for person in people:
        for role, fits in _FITS.items():
            if role not in found and person.account_id and fits(person):
                found[role] = person
        if len(found) == len(_FITS):
            break
    return {role: found[role] for role in Role if role in found}


def _unrestricted(person: Person) -> bool:
    return person.place.country == "US" and person.way_out is None and not person.is_child


def _well_known(person: Person) -> bool:
    habits = person.habits
    return (
        _unrestricted(person)
        and person.known is Known.PROFILE
        and person.birth_day is not None
        and all((person.gender, person.occupation, person.postal_code, habits.destination_rows, habits.exposure_rows))
        and len(habits.interest_rows) > _MANY_INTEREST_BYTES
    )


_FITS: dict[Role, Callable[[Person], bool]] = {
    Role.PROFILED: _well_known,
    Role.OPTED_OUT: lambda person: person.way_out is WayOut.ACCOUNT_PAGE and not person.place.asks_consent,
    Role.CHILD: lambda person: person.is_child and person.way_out is None and not person.place.asks_consent,
    Role.UNKNOWN: lambda person: _unrestricted(person) and person.known is Known.NOTHING,
    Role.EUROPEAN: lambda person: person.place.asks_consent and person.way_out is None and not person.is_child,
}
