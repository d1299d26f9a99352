"""A decision record from a decision and from what it was made of.

Invariant: a record of a limited decision does not depend on a profile, beyond the reasons that the answer gives.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple, cast

from targeting.age import person_day
from targeting.decision import Decision
from targeting.decision_records.ages import limits_of, range_of_birth, range_of_years
from targeting.decision_records.consents import consent_facts
from targeting.decision_records.form import (
    AgeRange,
    AgeTreatment,
    DecisionRecord,
    Flag,
    NetworkFacts,
    PlaceFacts,
    RequestFacts,
    StoreAnswer,
    StoredChoiceName,
    SubjectFacts,
)
from targeting.judge import read_stored_choices
from targeting.model import AgeTreatment as Treatment
from targeting.places.locale import parse_place
from targeting.policy.policy import Policy
from targeting.reasons import Reason, Reasons, reasons_in
from targeting.records.preference import Choice, StoredChoice
from targeting.records.stored_records import StoredRecords
from targeting.rejudging.answers import NetworkAnswers
from targeting.rejudging.verdict import DecidedRequest, verdict_of
from targeting.subjects.identifiers import is_zeros, without_placeholders
from targeting.subjects.request_subjects import subjects_of

_CHOICES: Final[dict[int, StoredChoiceName]] = {Choice.NONE: "none", Choice.OPT_IN: "opted_in"}


class Recorded(NamedTuple):
    """A decision to be recorded: its request with everything that it was made of, its answer and its policy."""

    decided: DecidedRequest
    decision: Decision
    policy: Policy
    now_s: float
    """Unix seconds."""

    def __repr__(self) -> str:
        """Show nothing about the person."""
        return f"Recorded({self.decision.mode.name})"


def record_of(recorded: Recorded, epoch: str) -> DecisionRecord:
    """Return the record, without the group of the person; ``epoch`` is that of the store."""
    decided, decision, policy, now_s = recorded
    today = person_day(now_s)
    networks = verdict_of(decided, policy).networks
    return DecisionRecord(
        v=1,
        hour=datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%HZ"),
        policy=policy.version,
        epoch=epoch,
        mode="LIMITED" if decision.behavioural is None else "BEHAVIOURAL",
        reasons=_names(decision.reasons),
        request=_request_facts(decided, policy, today),
        places=_place_facts(decided),
        consent=consent_facts(decided.item, policy),
        store=_store_answer(decided.stored),
        subjects=_subject_facts(decided.stored, policy, today),
        networks=tuple([_network_facts(network, policy) for network in networks if network.listed]),
        unlisted_networks=not all(network.listed for network in networks),
    )


def _names(reasons: Reasons) -> tuple[str, ...]:
    return tuple([reason.name for reason in reasons_in(reasons)])


def _request_facts(decided: DecidedRequest, policy: Policy, today: int) -> RequestFacts:
    request, cookies = decided.item.request, decided.item.cookies
    own = without_placeholders(request.identity, cookies.muid)
    treatment, limits = request.signals.age_treatment, limits_of(policy.children)
    stated = request.signals.latest_birth_day
    ages = [nap.age for nap in decided.naps if nap.age is not None]
    is_known = treatment in set(Treatment)
    return RequestFacts(
        flags=tuple(_flags(decided)),
        age_treatment=cast("AgeTreatment", Treatment(treatment).name) if is_known else "UNKNOWN",
        stated_age=None if stated is None else range_of_birth(stated, limits, today),
        nap_age=range_of_years(min(ages), limits) if ages else None,
        account=bool(own.account_id),
        device=bool(own.device_id),
        others=not (own.account_id or own.device_id) and bool(subjects_of(request, cookies)),
    )


def _flags(decided: DecidedRequest) -> Iterator[Flag]:
    request, cookies = decided.item.request, decided.item.cookies
    signals = request.signals
    flags: dict[Flag, bool] = {
        "app": request.in_app,
        "child_directed": signals.child_directed,
        "cookie_opt_out": cookies.opt_out or cookies.anon_opt_out,
        "do_not_track": signals.do_not_track,
        "global_privacy_control": signals.global_privacy_control,
        "industry_opt_out": bool(signals.industry_opt_outs),
        "limit_ad_tracking": signals.limit_ad_tracking or is_zeros(request.identity.device_id),
        "muid_in_doubt": cookies.device_doubt,
        "targeted_ads_off": signals.targeted_ads_off,
        "unreadable": bool(signals.unreadable),
    }
    return (flag for flag, is_set in flags.items() if is_set)


def _place_facts(decided: DecidedRequest) -> PlaceFacts:
    request = decided.item.request
    return PlaceFacts(
        client=parse_place(request.client_country) or "",
        cookies=tuple(sorted(decided.item.cookies.countries)),
        ip=request.ip_location.country,
        ip_subdivision=request.ip_location.subdivision,
        shown=tuple(sorted(set(request.shown_countries))),
        shown_subdivisions=tuple(sorted(set(request.shown_subdivisions))),
    )


def _store_answer(stored: Sequence[StoredRecords] | Reason) -> StoreAnswer:
    if isinstance(stored, Reason):
        return cast("StoreAnswer", stored.name)
    return "asked" if stored else "not_asked"


def _subject_facts(stored: Sequence[StoredRecords] | Reason, policy: Policy, today: int) -> tuple[SubjectFacts, ...]:
    if isinstance(stored, Reason):
        return ()
    limits, choices = limits_of(policy.children), read_stored_choices(stored)
    return tuple(
        [
            SubjectFacts(
                kind="account" if records.kind.name == "ACCOUNT" else "device",
                choice=_choice_name(records, choice),
                age=_age(choice, limits, today),
                country="" if choice is None else choice.country,
            )
            for records, choice in zip(stored, choices, strict=True)
        ]
    )


def _choice_name(records: StoredRecords, choice: StoredChoice | None) -> StoredChoiceName:
    if choice is not None:
        return _CHOICES.get(choice.choice, "opted_out")
    if records.preference is not None:
        return "unreadable"
    return "absent" if records.profile is None else "lost"


def _age(choice: StoredChoice | None, limits: tuple[int, ...], today: int) -> AgeRange | None:
    if choice is None or choice.birth_day is None:
        return None
    return range_of_birth(choice.birth_day, limits, today)


def _network_facts(network: NetworkAnswers, policy: Policy) -> NetworkFacts:
    return NetworkFacts(
        id=policy.by_id[network.name].id,
        contact=network.contact,
        fields=network.fields,
        user_id=network.user_id,
        buyeruid=network.buyeruid,
        precise_position=cast("Literal['none', 'coarse', 'exact']", network.precise_position),
        ipv4_bits=network.ipv4_bits,
        ipv6_bits=network.ipv6_bits,
        reasons=_names(network.reasons),
    )
