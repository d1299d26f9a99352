"""Bytes as proof: nothing marked is ever found in what goes out, whoever asks, whatever the policy and the mode."""

import re
from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any, NamedTuple

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from targeting.policy import (
    FingerprintPolicy,
    GdprPolicy,
    MaskPolicy,
    NetworkPolicy,
    Policy,
    Rule,
    SharingPolicy,
)
from targeting.preference import Choice
from targeting.profile_fields import SHAREABLE_FIELDS
from targeting.reasons import Reason
from tests.openrtb.openrtb_tables import validate
from tests.openrtb.people import (
    BUYER_MARK,
    DESCRIPTION_MARK,
    MARK,
    PARAMETER_MARK,
    POSITION_MARK,
    Person,
    bid_request,
    marks,
    person,
)
from tests.openrtb.preparing import Json, Prepared, Stored, asking, prepare, record
from tests.signals.strings import STRINGS, VENDOR

FORBIDDEN = re.compile(b"|".join(map(re.escape, marks())))
# A mapped address may be spelt in hexadecimal, too; the colons keep an id of hexadecimal digits from looking like one.
FULL_ADDRESS = re.compile(rb"203\.0\.113\.[1-9]|cb00:71(?!00)|7a7a:7b7b", re.IGNORECASE)
POSITION = POSITION_MARK.encode()
DESCRIPTION = DESCRIPTION_MARK.encode()
BUYER = re.compile(rf"{BUYER_MARK}(\w+)-".encode())
PARAMETERS = re.compile(rf"{PARAMETER_MARK}(\w+)-".encode())
NAMES = ("net0", "net1", "Net2", "acme", "stranger", "NET0")

REGULATIONS: tuple[Json, ...] = (
    *({"gdpr": 0},) * 8,
    {"gdpr": 0, "coppa": 1},
    {"gdpr": 0, "us_privacy": "1YYN"},
    {"gdpr": 0, "ext": {"gpc": "1"}},
    {"gdpr": 0, "coppa": "yes"},
    {"gdpr": 0, "gpp": STRINGS["usnat-allows"], "gpp_sid": [7]},
    {"gdpr": 0, "gpp": STRINGS["usnat-position-refused"], "gpp_sid": [7]},
    {"gdpr": 0, "gpp": STRINGS["usnat-sale-opt-out"], "gpp_sid": [7]},
    {"gdpr": 0, "gpp": STRINGS["usnat-child"], "gpp_sid": [7]},
    {"gdpr": 1},
    {"ext": {"gdpr": 1}},
)
CONSENTS = ("tcf-consent", "tcf-consent", "tcf-contact-only", "tcf-refusal")


class Case(NamedTuple):
    """One triple: request (with who it is about), what is stored, policy."""

    call: pb.PrepareBidRequestRequest
    stored: Stored | Reason
    policy: Policy


def case_of(seed: int) -> Case:
    random = Random(seed)
    somebody = person(random.getrandbits(48), browser=random.randrange(3))
    call = asking(
        _request(random, somebody),
        random.sample(NAMES, random.randrange(1, 5)),
        account_id=random.choice((somebody.account_id, somebody.account_id, "")),
        device_id=random.choice((somebody.device_id, "")),
        linked_account_ids=random.choice((somebody.linked_ids, ())),
        client=pb.ClientSettings(targeted_ads_off=random.random() < 0.05),
    )
    return Case(call, _stored(random, somebody), policy_of(random))


def _request(random: Random, somebody: Person) -> Json:
    regs = random.choice(REGULATIONS)
    request = bid_request(somebody, regs=regs)
    if random.random() < 0.7:
        text = STRINGS[random.choice(CONSENTS)]
        holder = request["user"] if random.random() < 0.5 else request["user"]["ext"]
        holder["consent"] = text
    if random.random() < 0.3:
        request["app"] = request.pop("site")
    hidden = {"x": f"{MARK}hidden"}
    request["device"] |= random.choice(({}, {}, {}, {"lmt": 1}, {"dnt": 1}, {"lmt": 0, "dnt": 0}, {"lmt": hidden}))
    request["device"]["ext"] |= random.choice(({}, {}, {"atts": 3}, {"atts": 3}, {"atts": 0}, {"atts": hidden}))
    return request


def _stored(random: Random, somebody: Person) -> Stored | Reason:
    if random.random() < 0.05:
        return random.choice((Reason.STORE_TIMEOUT, Reason.STORE_UNAVAILABLE))
    records = {}
    for subject in somebody.subjects:
        preference = somebody.preference
        if random.random() < 0.1:
            preference = preference._replace(choice=Choice.OPT_OUT)
        known = random.random() < 0.97
        records[subject] = record(subject, preference if known else None, somebody.profile)
    return records


def policy_of(random: Random) -> Policy:
    return Policy(
        gdpr=GdprPolicy(host_vendor_id=VENDOR),
        masks=MaskPolicy(random.choice((24, 16, 0)), random.choice((56, 48, 0))),
        sharing=SharingPolicy(random.choice((16, 2, 64)), random.choice((10, 100))),
        fingerprint=FingerprintPolicy(random.random() < 0.8),
        networks=tuple(_network(random, name) for name in ("net0", "net1", "net2", "acme")),
        rules=tuple(_rule(random) for _ in range(random.randrange(3))),
    )


def _network(random: Random, name: str) -> NetworkPolicy:
    return NetworkPolicy(
        name,
        first_party=random.random() < 0.3,
        tcf_vendor_id=random.choice((0, VENDOR, VENDOR, 100)),
        fields=tuple(random.sample(SHAREABLE_FIELDS, random.randrange(6))),
        user_id=random.random() < 0.6,
        buyeruid=random.random() < 0.5,
        precise_position=random.choice(("none", "coarse", "exact")),
        full_ip=random.random() < 0.3,
        ipv4_bits=random.choice((24, 8)),
        bidder=random.choice(("", "other")) if name == "acme" else "",
    )


def _rule(random: Random) -> Rule:
    return Rule(
        withhold=tuple(random.sample(("contact", "profile", "user_id", "precise_position"), random.randrange(1, 3))),
        networks=random.choice(((), ("net*",), ("acme",))),
        countries=random.choice(((), ("US",), ("DE",))),
        do_not_track=random.choice((None, True)),
    )


def leaks(case: Case, prepared: Prepared) -> list[str]:
    """Everything that was found and should not have been."""
    found = []
    terms = {network.id.casefold(): network for network in case.policy.networks}
    limited = prepared.decision.mode == pb.MODE_LIMITED
    if limited and FORBIDDEN.search(prepared.answer):
        found.append("a mark in a limited answer")
    for name, decision in prepared.networks.items():
        network = terms.get(name.casefold())
        text = prepared.texts.get(name, b"") + decision.SerializeToString()
        found += [f"{name}: {each!r}" for each in FORBIDDEN.findall(text)]
        knows = decision.profile_shared or decision.id_shared
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
    ids = [each.network_user_id for each in prepared.networks.values() if each.network_user_id]
    if len(set(ids)) < len(ids):
        found.append("one id for two networks")
    return found


def _inconsistencies(name: str, decision: pb.NetworkDecision, request: Json | None) -> Iterable[str]:
    if request is None:
        if decision.contact_allowed:
            yield f"{name}: may be contacted and got nothing"
        return
    user = request.get("user", {})
    if not decision.contact_allowed:
        yield f"{name}: may not be contacted and got something"
    if ({"gender", "data"} & user.keys()) and not decision.profile_shared:
        yield f"{name}: a profile that was withheld"
    if user.get("eids", []) != _eids(decision):
        yield f"{name}: another id than its own"
    if violations := validate(request, unknown_allowed=True):
        yield from (each for each in violations if "coppa" not in each)


def _eids(decision: pb.NetworkDecision) -> list[Any]:
    uids = [{"id": decision.network_user_id}]
    return [{"source": "adtargeting.local", "uids": uids}] if decision.network_user_id else []


def search(seeds: Iterable[int]) -> Counter[str]:
    """Search the answers to the cases of these seeds; give how often what was given away by right."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        case = case_of(seed)
        prepared = prepare(case.call, policy=case.policy, stored=case.stored)
        assert leaks(case, prepared) == [], f"seed {seed}"
        seen[pb.Mode.Name(prepared.decision.mode)] += 1
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
    *("descriptions", "exact positions", "full addresses", "buyers", "parameters", "uncontacted"),
)


@pytest.mark.parametrize("part", range(2))
def test_nothing_marked_goes_out(part: int) -> None:
    seen = search(range(part * 1000, (part + 1) * 1000))
    # A search that never comes across what is given by right would find no leak of it either.
    assert all(seen[each] >= 50 for each in WORTH_SEEING), seen


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_nothing_marked_goes_out_of_100_000_triples(part: int) -> None:
    seen = search(range(1_000_000 + part * 10_000, 1_000_000 + (part + 1) * 10_000))
    assert all(seen[each] >= 500 for each in WORTH_SEEING), seen


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
    ],
)
def test_the_search_finds_what_it_looks_for(leak: Any) -> None:
    somebody = person(1)
    call = asking(bid_request(somebody, regs={"gdpr": 0, "coppa": 1}), ["stranger"], account_id=somebody.account_id)
    case = Case(call, {}, Policy())
    prepared = prepare(call, policy=case.policy, stored=case.stored)
    assert leaks(case, prepared) == []
    leaking = prepared._replace(texts={"stranger": leak(prepared.texts["stranger"])})
    assert leaks(case, leaking)
