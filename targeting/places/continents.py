"""Country → continent, for sums over call destinations.

Source: United Nations Statistics Division, "Standard country or area codes for statistical use" (M49),
geographic regions: Africa 002, Asia 142, Europe 150, Oceania 009; the Americas (019) are split into South
America (005) and North America (003: Northern America, Central America, the Caribbean). Taiwan (TW, in Asia) and
Kosovo (XK, in Europe), which have telephone codes but no entry there, are added.

Invariant: a country is on one continent; anything else (Antarctica, satellite networks, unassigned codes) is
ELSEWHERE. Knows nothing of people.
"""

from enum import IntEnum
from typing import Final


class Continent(IntEnum):
    """A continent; the numbers are stored in feature batches."""

    ELSEWHERE = 0
    AFRICA = 1
    ASIA = 2
    EUROPE = 3
    NORTH_AMERICA = 4
    OCEANIA = 5
    SOUTH_AMERICA = 6


_COUNTRIES: Final = {
    Continent.AFRICA: (
        "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW IO KE KM LR LS LY MA "
        "MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TF TG TN TZ UG YT ZA ZM ZW"
    ),
    Continent.ASIA: (
        "AE AF AM AZ BD BH BN BT CN CY GE HK ID IL IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN "
        "MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ VN YE"
    ),
    Continent.EUROPE: (
        "AD AL AT AX BA BE BG BY CH CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT "
        "LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK"
    ),
    Continent.NORTH_AMERICA: (
        "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI "
        "PA PM PR SV SX TC TT US VC VG VI"
    ),
    Continent.OCEANIA: ("AS AU CC CK CX FJ FM GU HM KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS"),
    Continent.SOUTH_AMERICA: "AR BO BR BV CL CO EC FK GF GS GY PE PY SR UY VE",
}
_CONTINENT_OF: Final = {
    country: continent for continent, countries in _COUNTRIES.items() for country in countries.split()
}


def continent_of(country: str) -> Continent:
    """Return the continent of a country given as ISO 3166-1 alpha-2, in capitals."""
    return _CONTINENT_OF.get(country, Continent.ELSEWHERE)
