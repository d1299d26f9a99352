"""People of the sample population who represent typical cases, for the tour and for commands to try."""

from collections.abc import Callable, Iterable
from enum import Enum

from server.sample.person import OptOutWay, Person, Stored

_MIN_INTEREST_BYTES = 150


class Persona(Enum):
    """A typical case."""

    PROFILED = "a profile and no choice"
    OPTED_OUT = "opted out for the account"
    CHILD = "a child"
    UNKNOWN = "no profile"
    EUROPEAN = "in the EEA, without consent"


def find_personas(people: Iterable[Person]) -> dict[Persona, Person]:
    """Return the first person of each case; cases that no person represents are absent."""
    found: dict[Persona, Person] = {}
    for person in people:
        for persona, fits in _FITS.items():
            if persona not in found and person.account_id and fits(person):
                found[persona] = person
        if len(found) == len(_FITS):
            break
    return {persona: found[persona] for persona in Persona if persona in found}


def _unrestricted(person: Person) -> bool:
    return person.place.country == "US" and person.opt_out_way is None and not person.is_child


def _well_known(person: Person) -> bool:
    habits = person.habits
    return (
        _unrestricted(person)
        and person.stored is Stored.PROFILE
        and person.birth_day is not None
        and all((person.gender, person.occupation, person.postal_code, habits.destination_rows, habits.exposure_rows))
        and len(habits.interest_rows) > _MIN_INTEREST_BYTES
    )


_FITS: dict[Persona, Callable[[Person], bool]] = {
    Persona.PROFILED: _well_known,
    Persona.OPTED_OUT: lambda person: person.opt_out_way is OptOutWay.ACCOUNT_PAGE and not person.place.asks_consent,
    Persona.CHILD: lambda person: person.is_child and person.opt_out_way is None and not person.place.asks_consent,
    Persona.UNKNOWN: lambda person: _unrestricted(person) and person.stored is Stored.NOTHING,
    Persona.EUROPEAN: lambda person: person.place.asks_consent and person.opt_out_way is None and not person.is_child,
}
