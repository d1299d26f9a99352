"""Decisions as tables. Everything fits into 80 columns and reads the same without colour."""

from collections.abc import Iterable

from adtargeting.v1 import targeting_pb2 as pb
from rich.console import Console
from rich.table import Table
from rich.text import Text

from server.cli.shell import plain, table
from targeting.features.taxonomy import segment_code, segment_name
from targeting.inspection.reason_text import name_of, names_of, text_of

NOTHING = "-"
MAX_ROWS = 8
"""Rows shown of a list; ``--json`` prints all."""


def show_decision(out: Console, decision: pb.DecideResponse) -> None:
    """Print a decision: the mode and its reasons, the features, and what each network receives."""
    show_mode(out, decision)
    out.print(limited_table(decision.limited))
    if decision.HasField("behavioural"):
        show_behavioural(out, decision.behavioural)
    if decision.networks:
        out.print(networks_table(decision.networks))


def show_mode(out: Console, decision: pb.DecideResponse) -> None:
    """Print the mode and every reason with its meaning."""
    if decision.mode == pb.MODE_BEHAVIOURAL:
        out.print(Text("BEHAVIOURAL", "bold green"), "all stored data about this person may be used")
        return
    out.print(Text("LIMITED", "bold yellow"), "country, language and IP location, nothing else")
    for reason in decision.reasons:
        out.print(f"  {name_of(reason)}: {text_of(reason)}")


def limited_table(limited: pb.LimitedFeatures) -> Table:
    """Return the table of the features that every decision has."""
    made = table("country", "language", "IP country", "IP subdivision")
    made.add_row(*(plain(each) or NOTHING for each in
                   (limited.country, limited.language, limited.ip_country, limited.ip_subdivision)))  # fmt: skip
    return made


def show_behavioural(out: Console, features: pb.BehaviouralFeatures) -> None:
    """Print the behavioural features."""
    declared = features.demographics
    made = table("age", "gender", "occupation", "postal prefix")
    made.add_row(age(declared.age_bracket), gender(declared.gender),
                 plain(declared.occupation) or NOTHING, plain(declared.postal_prefix) or NOTHING)  # fmt: skip
    out.print(made)
    out.print(interests_table(features.interests))
    if len(features.interests) > MAX_ROWS:
        out.print(f"The {MAX_ROWS} highest of {len(features.interests)}; --json prints all.")
    if features.call_destinations:
        calls = ", ".join(f"{each.country} {each.share:.0%}" for each in features.call_destinations[:MAX_ROWS])
        out.print(f"Calls to: {calls}")
    if features.exposures:
        seen = ", ".join(f"{plain(each.ad_id)} x{each.count}" for each in features.exposures[:MAX_ROWS])
        out.print(f"Ads seen: {seen}")
    out.print(f"Vector: {len(features.vector) // 4} numbers, {features.vector_schema}")


def interests_table(interests: Iterable[pb.Interest]) -> Table:
    """Return the table of the highest scores, with the names of the taxonomy."""
    made = table("score", "segment", "interest")
    for interest in list(interests)[:MAX_ROWS]:
        made.add_row(f"{interest.score:.2f}", plain(interest.segment_id), interest_name(interest.segment_id))
    return made


def networks_table(networks: Iterable[pb.NetworkDecision]) -> Table:
    """Return the table of what each network receives, and the reasons for withholding the rest."""
    made = table("network", "contact", "profile", "id", "position", "withheld by")
    for each in networks:
        answers = (each.contact_allowed, each.profile_shared, each.id_shared, each.precise_geo_allowed)
        made.add_row(plain(each.network_id), *map(yes_no, answers), names_of(each.reasons) or NOTHING)
    return made


def yes_no(answer: bool) -> str:  # noqa: FBT001  # a plain conversion
    """Return yes or no."""
    return "yes" if answer else "no"


def interest_name(segment_id: str) -> str:
    """Return the name of a segment; a segment from an outside source is named by its id."""
    code = segment_code(segment_id)
    return plain(segment_id) if code is None else segment_name(code)


def age(bracket: int) -> str:
    """Return an age bracket as text."""
    return (
        pb.AgeBracket.Name(bracket).removeprefix("AGE_BRACKET_").replace("_PLUS", "+").replace("_", "-")
        if bracket
        else NOTHING
    )


def gender(number: int) -> str:
    """Return a gender as text."""
    return pb.Gender.Name(number).removeprefix("GENDER_").lower() if number else NOTHING
