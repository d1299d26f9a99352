"""No mark occurs in the bytes of an answer, for any request, person and policy."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from targeting.policy.policy import BidRequestPolicy, NetworkPolicy, Policy
from targeting.records.preference import Preference
from tests.properties.canary_cases import PLACES, Case, case_of
from tests.properties.people import (
    BUYER_MARK,
    DESCRIPTION_MARK,
    MARK,
    PARAMETER_MARK,
    PLACE_MARK,
    POSITION_MARK,
    bid_request,
    invent_person,
    marks,
)
from tests.targeting.openrtb.openrtb_tables import validate
from tests.targeting.openrtb.preparing import Json, Prepared, asking, prepare, record

FORBIDDEN = re.compile(b"|".join(map(re.escape, marks())))
# A mapped address may be written in hexadecimal; the colons distinguish it from an id of hexadecimal digits.
FULL_ADDRESS = re.compile(rb"203\.0\.113\.[1-9]|cb00:71(?!00)|7a7a:7b7b", re.IGNORECASE)
POSITION = POSITION_MARK.encode()
DESCRIPTION = DESCRIPTION_MARK.encode()
BUYER = re.compile(rf"{BUYER_MARK}(\w+)-".encode())
PARAMETERS = re.compile(rf"{PARAMETER_MARK}(\w+)-".encode())


def leaks(case: Case, prepared: Prepared) -> list[str]:
    """Return every leak and inconsistency in an answer."""
    found = []
    terms = {network.id.casefold(): network for network in case.policy.networks}
    limited = prepared.decision.mode == pb.MODE_LIMITED
    if limited and FORBIDDEN.search(prepared.answer):
        found.append("a mark in a limited answer")
    for name, decision in prepared.networks.items():
        network = terms.get(name.casefold())
        text = prepared.texts.get(name, b"") + decision.SerializeToString()
        found += [f"{name}: {each!r}" for each in FORBIDDEN.findall(text)]
        # The content counts: a permitted profile of which nothing is known is limited features.
        knows = {"data", "eids"} & prepared.bid_requests.get(name, {}).get("user", {}).keys()
        if DESCRIPTION in text and not knows and case.policy.fingerprint.reduce_in_limited_mode:
            found.append(f"{name}: the device is described")
        if POSITION in text and not decision.precise_geo_allowed:
            found.append(f"{name}: the exact position")
        if FULL_ADDRESS.search(text) and (limited or network is None or not network.full_ip):
            found.append(f"{name}: the full address")
        owned = {network.name_in_extensions} if network and network.buyeruid and decision.id_shared else set()
        found += [f"{name}: the id at {each!r}" for each in BUYER.findall(text) if each.decode() not in owned]
        own_name = network.name_in_extensions if network else name.casefold()
        found += [
            f"{name}: the parameters of {each!r}" for each in PARAMETERS.findall(text) if each.decode() != own_name
        ]
        found += _inconsistencies(name, decision, prepared.bid_requests.get(name))
    return found + list(_foreign_ids(prepared))


def _foreign_ids(prepared: Prepared) -> Iterable[str]:
    for owner, own in prepared.networks.items():
        for name, decision in prepared.networks.items():
            text = prepared.texts.get(name, b"") + decision.SerializeToString()
            if own.network_user_id and name != owner and own.network_user_id.encode() in text:
                yield f"{name}: the id of {owner}"


def _inconsistencies(name: str, decision: pb.NetworkDecision, request: Json | None) -> Iterable[str]:
    if request is None:
        if decision.contact_allowed:
            yield f"{name}: may be contacted and got nothing"
        return
    user = request.get("user", {})
    if not decision.contact_allowed:
        yield f"{name}: may not be contacted and got something"
    if {"gender", "yob"} & user.keys():
        yield f"{name}: a deprecated personal field"
    if "data" in user and not decision.profile_shared:
        yield f"{name}: a profile that was withheld"
    if user.get("eids", []) not in (_eids(decision, method) for method in (3, 4)):
        yield f"{name}: another id than its own"
    if PLACE_MARK not in json.dumps([request.get(place) for place in PLACES]):
        yield f"{name}: nothing of where the ad is shown"
    # The fields of a random request may be incomplete or contradict each other.
    yield from (f"{name}: {fault}" for fault in validate(request) if "not " in fault)


def _eids(decision: pb.NetworkDecision, method: int) -> list[Any]:
    uids = [{"id": decision.network_user_id}]
    own = {"inserter": "adtargeting.local", "source": "adtargeting.local", "mm": method, "uids": uids}
    return [own] if decision.network_user_id else []


def search(seeds: Iterable[int]) -> Counter[str]:
    """Search the answers to the cases of these seeds; count the permitted values that were sent."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        case = case_of(seed)
        prepared = prepare(case.call, policy=case.policy, stored=case.stored)
        assert leaks(case, prepared) == [], f"seed {seed}"
        seen[pb.Mode.Name(prepared.decision.mode)] += 1
        seen["unreadable"] += pb.REASON_SIGNAL_UNREADABLE in prepared.decision.reasons
        seen["outdoors"] += any("dooh" in each for each in prepared.bid_requests.values())
        for name, decision in prepared.networks.items():
            text = prepared.texts.get(name, b"")
            seen["network answers"] += 1
            seen["profiles"] += decision.profile_shared
            seen["ids"] += decision.id_shared
            seen["descriptions"] += DESCRIPTION in text
            seen["exact positions"] += POSITION in text
            seen["full addresses"] += bool(FULL_ADDRESS.search(text))
            seen["buyers"] += bool(BUYER.search(text))
            seen["parameters"] += bool(PARAMETERS.search(text))
            seen["uncontacted"] += not decision.contact_allowed
    return seen


WORTH_SEEING = (
    *("MODE_BEHAVIOURAL", "MODE_LIMITED", "profiles", "ids"),
    *(
        "unreadable",
        "outdoors",
        "descriptions",
        "exact positions",
        "full addresses",
        "buyers",
        "parameters",
        "uncontacted",
    ),
)


@pytest.mark.parametrize("part", range(2))
def test_nothing_marked_goes_out(part: int) -> None:
    seen = search(range(part * 1000, (part + 1) * 1000))
    # A search that never sees permitted values would not find them where they are forbidden.
    assert all(seen[each] >= 50 for each in WORTH_SEEING), seen


@pytest.mark.slow
@pytest.mark.parametrize("part", range(100))
def test_nothing_marked_goes_out_of_100_000_triples(part: int) -> None:
    seen = search(range(1_000_000 + part * 1_000, 1_000_000 + (part + 1) * 1_000))
    assert all(seen[each] >= 20 for each in WORTH_SEEING), seen


@pytest.mark.parametrize(
    "leak",
    [
        pytest.param(lambda text: text + b"zqz", id="a mark"),
        pytest.param(lambda text: text + b"90807060", id="a number"),
        pytest.param(lambda text: text.replace(b"203.0.113.0", b"203.0.113.9"), id="an address"),
        pytest.param(lambda text: text + b"zqd", id="a description"),
        pytest.param(lambda text: text + b"7771237", id="a position"),
        pytest.param(lambda text: text + b"zqbstranger-", id="an id of its own without permission"),
        pytest.param(lambda text: text + b"zqpacme-", id="another network's parameters"),
        pytest.param(lambda text: text.replace(b"zqc", b""), id="what says nothing of the person, taken away"),
        pytest.param(lambda text: text.replace(b'"gdpr":0', b'"gdpr":"0"'), id="a signal in another form"),
        pytest.param(lambda text: text.replace(b'"imp":[{', b'"imp":[{"newfield":1,'), id="an unknown name"),
        pytest.param(lambda text: text.replace(b'"user":{', b'"user":{"gender":"F",'), id="a gender"),
    ],
)
def test_the_search_finds_what_it_looks_for(leak: Any) -> None:
    person = invent_person(1)
    call = asking(bid_request(person, regs={"gdpr": 0, "coppa": 1}), ["stranger"], account_id=person.account_id)
    case = Case(call, {}, Policy())
    prepared = prepare(call, policy=case.policy, stored=case.stored)
    assert leaks(case, prepared) == []
    text = leak(prepared.texts["stranger"])
    read, _ = json.JSONDecoder().raw_decode(text.decode())
    assert leaks(case, prepared._replace(texts={"stranger": text}, bid_requests={"stranger": read}))


@pytest.mark.parametrize(
    "allowed",
    [
        pytest.param(BidRequestPolicy(impression_ext=("x",)), id="of impressions"),
        pytest.param(BidRequestPolicy(request_ext=("x",)), id="of the request"),
        pytest.param(BidRequestPolicy(object_ext=("site.ifa",)), id="of the site"),
        pytest.param(BidRequestPolicy(object_ext=("source.x",)), id="of the source"),
        pytest.param(BidRequestPolicy(object_ext=("publisher.aa.embedding",)), id="of the publisher"),
        pytest.param(BidRequestPolicy(object_ext=("deal.user.id",)), id="of deals"),
    ],
)
def test_the_search_finds_an_extension_that_no_policy_file_may_allow(allowed: BidRequestPolicy) -> None:
    found: list[str] = []
    for seed in range(200):
        case = case_of(seed)
        policy = replace(case.policy, bid_request=allowed)
        found += leaks(case._replace(policy=policy), prepare(case.call, policy=policy, stored=case.stored))
    assert any(MARK in leak for leak in found)


def test_the_search_finds_the_id_of_another_network() -> None:
    person = invent_person(1)
    policy = Policy(networks=(NetworkPolicy("net0", user_id=True), NetworkPolicy("net1", user_id=True)))
    call = asking(bid_request(person, regs={"gdpr": 0}), ["net0", "net1"], account_id=person.account_id)
    subject = person.subjects[0]
    case = Case(call, {subject: record(subject, Preference(), person.profile)}, policy)
    prepared = prepare(call, policy=policy, stored=case.stored)
    assert leaks(case, prepared) == []
    others_id = prepared.networks["net1"].network_user_id.encode()
    leaking = prepared._replace(texts={**prepared.texts, "net0": prepared.texts["net0"] + others_id})
    assert leaks(case, leaking) == ["net0: the id of net1"]
