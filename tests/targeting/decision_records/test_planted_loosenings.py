"""Twenty loosenings planted in a policy are found in a day's records, and none in an equal policy.

The shadow and the replay agree about every decision.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import pytest

from targeting.age import person_day
from targeting.decision_records.facts import Recorded
from targeting.decision_records.form import DecisionRecord
from targeting.decision_records.replay import Replay, ReplayedChange, replayed
from targeting.decision_records.unrecorded import unrecorded_changes
from targeting.policy.directions import Effect
from targeting.policy.policy import (
    ChildrenPolicy,
    ConsentPolicy,
    FeaturePolicy,
    GdprPolicy,
    MaskPolicy,
    NetworkPolicy,
    NetworkRule,
    Policy,
    RetentionPolicy,
    SharingPolicy,
    SignalPolicy,
)
from targeting.rejudging.policy_pair import PolicyPair
from tests.targeting.decision_records.made_up_people import POLICY, decisions, people
from tests.targeting.decision_records.recorded import record
from tests.targeting.signals.strings import VENDOR

STRICT: Final = replace(
    POLICY, signals=SignalPolicy(honour_do_not_track=True), masks=MaskPolicy(ipv4_bits=16, ipv6_bits=40)
)
HOUSE, ACME, BOREALIS = STRICT.networks
HOUR: Final = 12


def _with(network: NetworkPolicy, **values: Any) -> Policy:
    changed = replace(network, **values)
    return replace(STRICT, networks=tuple(changed if each is network else each for each in STRICT.networks))


def _ages(by_country: dict[str, int], by_subdivision: dict[str, int]) -> Policy:
    ages = ChildrenPolicy(
        age_by_country=MappingProxyType(by_country), age_by_subdivision=MappingProxyType(by_subdivision)
    )
    return replace(STRICT, children=ages)


def _gdpr(**values: Any) -> Policy:
    return replace(STRICT, gdpr=GdprPolicy(**{"host_vendor_id": VENDOR, **values}))


def _ruled(*rules: NetworkRule) -> Policy:
    return replace(STRICT, rules=rules)


LOOSENED: Final[dict[str, Policy]] = {
    "signals.honour_do_not_track": replace(STRICT, signals=SignalPolicy()),
    "children: a country": _ages({"DE": 14, "FR": 15}, {"US-CT": 18}),
    "children: a subdivision": _ages({"DE": 16, "FR": 15}, {}),
    "children: everywhere": replace(STRICT, children=ChildrenPolicy(age=0)),
    "gdpr: a country": _gdpr(countries=("GB", "FR")),
    "gdpr: no country": _gdpr(countries=()),
    "gdpr: another vendor": _gdpr(host_vendor_id=22),
    "consent.explicit_opt_in_in": replace(STRICT, consent=ConsentPolicy()),
    "networks.acme.fields": _with(ACME, fields=(*ACME.fields, "gender")),
    "networks.borealis.user_id": _with(BOREALIS, user_id=True),
    "networks.borealis.precise_position": _with(BOREALIS, precise_position="exact"),
    "networks.house.precise_position": _with(HOUSE, precise_position="coarse"),
    "networks.house.ipv4_bits": replace(STRICT, masks=MaskPolicy(ipv4_bits=24, ipv6_bits=40)),
    "networks.acme.contact": _with(ACME, first_party=True, tcf_vendor_id=0),
    "networks.house.buyeruid": _with(HOUSE, buyeruid=True),
    "networks.acme.user_id": _ruled(*STRICT.rules[1:]),
    "networks.house.user_id": _ruled(STRICT.rules[0], STRICT.rules[2]),
    "networks.borealis.contact": _ruled(*STRICT.rules[:2]),
    "sharing.max_interests": replace(STRICT, sharing=SharingPolicy(max_interests=32)),
    "features.max_interests": replace(STRICT, features=FeaturePolicy(max_interests=64)),
    "retention.profile_days": replace(STRICT, retention=RetentionPolicy(profile_days=800)),
}


@cache
def made() -> tuple[Recorded, ...]:
    return tuple(decisions(list(people(800)), HOUR, STRICT))


@cache
def written() -> tuple[DecisionRecord, ...]:
    return tuple(map(record, made()))


def loosened(policy: Policy) -> set[str]:
    replay = Replay(policy)
    for each in written():
        replay.add(each)
    replay.judge()
    changes = replay.changes + unrecorded_changes(replay, {STRICT.version: STRICT})
    return {change.name for change in changes if change.effect is Effect.LOOSENS}


def test_there_are_twenty_and_more() -> None:
    assert len(LOOSENED) >= 20


@pytest.mark.parametrize("planted", LOOSENED)
def test_a_planted_loosening_is_found(planted: str) -> None:
    assert planted.partition(":")[0] in loosened(LOOSENED[planted])


def test_none_is_found_in_an_equal_policy() -> None:
    assert loosened(replace(STRICT, version="equal")) == set()


OTHERS: Final = {name: LOOSENED[name] for name in ("children: everywhere", "gdpr: a country", "networks.acme.user_id")}


@pytest.mark.parametrize(("people_asked", "others"), [
    pytest.param(800, OTHERS, id="800 requests"),
    pytest.param(10_000, LOOSENED, id="10,000 requests", marks=pytest.mark.slow),
])  # fmt: skip
def test_shadow_and_replay_agree(people_asked: int, others: dict[str, Policy]) -> None:
    everything = made() if people_asked == len(made()) else tuple(decisions(list(people(people_asked)), HOUR, STRICT))
    records = [(each, record(each)) for each in everything]
    for other in others.values():
        pair, known = PolicyPair(STRICT, other), dict[DecisionRecord, set[ReplayedChange]]()
        for each, line in records:
            if line not in known:
                known[line] = replayed(line, other)
            certain = set(_plain(change for change in known[line] if not change.unrecorded))
            unrecorded = set(_plain(change for change in known[line] if change.unrecorded))
            shadow = {
                (change.name, change.effect, change.reason)
                for change in pair.changes(each.decided, person_day(each.now_s))
            }
            assert certain <= shadow <= certain | unrecorded


def _plain(changes: Iterator[ReplayedChange]) -> Iterator[tuple[object, ...]]:
    return ((change.name, change.effect, change.reason) for change in changes)
