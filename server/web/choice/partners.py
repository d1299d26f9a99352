"""What each advertising partner would get for this person, now and after an opt-out.

Partners that get the same stand together. With an account the values are the person's own; without one they are
classes that the policy allows, whatever may be held.
"""

from typing import Final, NamedTuple

from adtargeting.v1 import targeting_pb2 as pb

from server.web.choice.facts import Facts
from server.web.choice.status import reasons_of
from server.web.texts import Texts, mark
from targeting.features.taxonomy import segment_code, segment_name

AGES: Final = {
    pb.AGE_BRACKET_13_17: "13-17",
    pb.AGE_BRACKET_18_24: "18-24",
    pb.AGE_BRACKET_25_34: "25-34",
    pb.AGE_BRACKET_35_44: "35-44",
    pb.AGE_BRACKET_45_54: "45-54",
    pb.AGE_BRACKET_55_64: "55-64",
    pb.AGE_BRACKET_65_PLUS: "65+",
}
GENDERS: Final = {
    pb.GENDER_FEMALE: mark("female"),
    pb.GENDER_MALE: mark("male"),
    pb.GENDER_OTHER: mark("another"),
}
_MOST_INTERESTS: Final = 16


class Row(NamedTuple):
    """One kind of data: what the partner gets now, and after an opt-out."""

    kind: str
    now: str
    opted_out: str


class Group(NamedTuple):
    """Partners that get the same, what that is, and the same in a sentence for now and for after an opt-out."""

    names: tuple[str, ...]
    rows: tuple[Row, ...]
    gets_now: str
    gets_opted_out: str


class _Partner(NamedTuple):
    """One partner: its name, the id that it alone would get, and the rest."""

    name: str
    user_id: str
    rows: tuple[Row, ...]


def partners_of(facts: Facts, texts: Texts) -> list[Group]:
    """Return the partners of the policy, grouped by what they would get."""
    groups: dict[tuple[Row, ...], list[_Partner]] = {}
    for now, later in zip(facts.decision.networks, facts.if_opted_out.networks, strict=True):
        partner = _partner(facts, now, later, texts)
        groups.setdefault(partner.rows, []).append(partner)
    return [_group(members, (*rows[:-1], _id_row(members, texts), rows[-1]), texts) for rows, members in groups.items()]


def _group(members: list[_Partner], rows: tuple[Row, ...], texts: Texts) -> Group:
    nothing = texts.say("nothing")
    now, opted_out = (
        ", ".join(texts.inline(row.kind) for row in rows[1:] if row[column] != nothing) or nothing for column in (1, 2)
    )
    return Group(
        tuple(each.name for each in members),
        rows,
        texts.say("Now: %(kinds)s.", kinds=now),
        texts.say("If you opt out: %(kinds)s.", kinds=opted_out),
    )


def _partner(facts: Facts, now: pb.NetworkDecision, later: pb.NetworkDecision, texts: Texts) -> _Partner:
    kinds = (
        texts.say("May be contacted"),
        texts.say("Age"),
        texts.say("Gender"),
        texts.say("Interests"),
        texts.say("Place and language"),
    )
    policy, own = facts.policy.by_id[now.network_id.casefold()], facts.visit.has_account
    values = _values(now, texts) if own else _classes(facts, now, texts)
    user_id = now.network_user_id if own else _id_class(facts, now, texts)
    rows = tuple(Row(*each) for each in zip(kinds, values, _values(later, texts), strict=True))
    return _Partner(policy.name or policy.id, user_id, rows)


def _id_row(members: list[_Partner], texts: Texts) -> Row:
    """Say by which id each partner would know the person."""
    nothing = texts.say("nothing")
    ids = [(each.name, each.user_id) for each in members if each.user_id]
    shared = "; ".join(f"{name}: {user_id}" for name, user_id in ids) if len(members) > 1 else ids and ids[0][1]
    return Row(texts.say("An id for you"), shared or nothing, nothing)


def _values(network: pb.NetworkDecision, texts: Texts) -> tuple[str, ...]:
    """Say what the partner gets, by value."""
    nothing = texts.say("nothing")
    if not network.contact_allowed:
        return (texts.say("no"), *[nothing] * 4)
    profile, gender = network.profile, GENDERS.get(network.profile.gender)
    return (
        texts.say("yes"),
        AGES.get(profile.age_bracket, nothing),
        texts.say(gender) if gender else nothing,
        _interests([each.segment_id for each in profile.interests], texts) or nothing,
        _place(network, texts) or nothing,
    )


def _classes(facts: Facts, network: pb.NetworkDecision, texts: Texts) -> tuple[str, ...]:
    """Say what the partner may get of anyone with this status."""
    contact, *_, place = _values(network, texts)
    nothing = texts.say("nothing")
    fields = facts.policy.by_id[network.network_id.casefold()].fields if _may_have(facts, network) else ()
    return (
        contact,
        texts.say("an age range") if "age_bracket" in fields else nothing,
        texts.say("gender") if "gender" in fields else nothing,
        texts.say("interests") if "interests" in fields else nothing,
        place,
    )


def _id_class(facts: Facts, network: pb.NetworkDecision, texts: Texts) -> str:
    policy = facts.policy.by_id[network.network_id.casefold()]
    return texts.say("one that only this partner gets") if policy.user_id and _may_have(facts, network) else ""


def _may_have(facts: Facts, network: pb.NetworkDecision) -> bool:
    """Whether nothing limits that anyone with this browser would see; whether anything is held must not show."""
    return network.contact_allowed and not set(reasons_of(facts)) - {"NO_PROFILE", "NO_SUBJECT"}


def interest_name(segment_id: str) -> str:
    """Return a segment's name in the IAB Audience Taxonomy; an outside source's segment is named by its id."""
    code = segment_code(segment_id)
    return segment_id if code is None else segment_name(code)


def _interests(segment_ids: list[str], texts: Texts) -> str:
    """List the strongest interests, and say how many more there are."""
    names = list(dict.fromkeys(map(interest_name, segment_ids)))
    more = len(names) - _MOST_INTERESTS
    shown = names[:_MOST_INTERESTS]
    return "; ".join(shown + ([texts.plural("and %(number)s more", "and %(number)s more", more)] if more > 0 else []))


def _place(network: pb.NetworkDecision, texts: Texts) -> str:
    limited = network.limited
    country, language = limited.country or limited.ip_country, limited.language
    parts = (country and texts.country(country), language and texts.language(language), network.masked_ip)
    return ", ".join(filter(None, parts))
