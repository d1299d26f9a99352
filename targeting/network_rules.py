"""Which of the policy's rules apply to a request, and what they take away from a network.

A rule only ever takes away. In doubt it applies: an unknown place may be any place, an unreadable signal any signal.
This module knows no profile.
"""

from collections.abc import Sequence
from typing import NamedTuple

from targeting.consent import RequestConsent
from targeting.model import LimitedFeatures
from targeting.places.geo import IpAddress
from targeting.policy.policy import NetworkRule, Policy
from targeting.reasons import NO_REASONS, Reason, Reasons

# What a rule may withhold, as the policy spells it.
CONTACT, PROFILE, USER_ID, PRECISE_POSITION = "contact", "profile", "user_id", "precise_position"


class NetworkContext(NamedTuple):
    """What one request says that the rules for networks ask about; nothing in it identifies the person."""

    consent: RequestConsent
    limited: LimitedFeatures
    ip: IpAddress | None
    gpp_section_ids: tuple[int, ...] = ()
    global_privacy_control: bool = False
    do_not_track: bool = False
    app: bool = False
    in_doubt: bool = False
    """Whether a signal is present that cannot be read: it may be any that a rule asks about."""
    shown_countries: tuple[str, ...] = ()
    shown_subdivisions: tuple[str, ...] = ()
    """Places besides those of the limited features; ``US-`` means a subdivision that cannot be read."""
    withheld: Reasons = NO_REASONS
    """The decision's own reasons; none when behavioural."""


def rules_for(context: NetworkContext, policy: Policy) -> list[NetworkRule]:
    """Return the rules whose conditions hold, or may hold, for a request."""
    countries = frozenset({context.limited.country, context.limited.ip_country, *context.shown_countries} - {""})
    return [rule for rule in policy.rules if _applies(rule, context, countries)]


def taken_by(rules: Sequence[NetworkRule], network_name: str) -> dict[str, Reasons]:
    """Return what these rules take away from a network, each with the reason."""
    return {thing: Reason.NETWORK_POLICY.bit for rule in rules if rule.names(network_name) for thing in rule.withhold}


def _applies(rule: NetworkRule, context: NetworkContext, countries: frozenset[str]) -> bool:
    return (
        (not rule.countries or not countries or not countries.isdisjoint(rule.countries))
        and (not rule.subdivisions or _may_be_in(rule.subdivisions, context))
        and (
            not rule.gpp_sections or context.in_doubt or not set(context.gpp_section_ids).isdisjoint(rule.gpp_sections)
        )
        and (rule.global_privacy_control in {None, context.global_privacy_control} or context.in_doubt)
        and (rule.do_not_track in {None, context.do_not_track} or context.in_doubt)
        and (rule.app is None or rule.app == context.app)
    )


def _may_be_in(subdivisions: Sequence[str], context: NetworkContext) -> bool:
    limited = context.limited
    if not limited.ip_country:
        return True
    known = {limited.ip_subdivision, *context.shown_subdivisions} - {""}
    countries = {limited.ip_country, *context.shown_countries}
    # In a country without a known subdivision, or with one that cannot be read, any subdivision may be meant.
    vague = {f"{country}-" for country in countries if not any(place.startswith(country) for place in known)}
    places = known | vague
    return any(subdivision in places or subdivision[:3] in places for subdivision in subdivisions)
