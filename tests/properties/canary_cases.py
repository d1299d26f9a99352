"""Random triples of request, person and policy from a seed, with marks hidden wherever a value could hide."""

import copy
from random import Random
from typing import Any, NamedTuple

from adtargeting.v1 import targeting_pb2 as pb

from targeting.policy.policy import (
    FingerprintPolicy,
    GdprPolicy,
    MaskPolicy,
    NetworkPolicy,
    NetworkRule,
    Policy,
    SharingPolicy,
)
from targeting.policy.profile_fields import SHAREABLE_FIELDS
from targeting.reasons import Reason
from targeting.records.preference import Choice
from tests.properties.filled_objects import Filler
from tests.properties.people import MARK, PLACE_MARK, Person, bid_request, invent_person
from tests.targeting.openrtb.preparing import Json, Stored, asking, record
from tests.targeting.signals.strings import STRINGS, VENDOR

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


OBJECT_NAMES = {"site": "Site", "app": "App", "dooh": "DOOH"}
PLACES = tuple(OBJECT_NAMES)
HIDDEN = f"{MARK}hidden"
FLAGS = (
    *("regs.coppa", "regs.gdpr", "regs.gpp_sid", "regs.gpc", "device.dnt", "device.lmt", "device.ext.atts"),
    *("regs.ext.coppa", "regs.ext.gdpr", "regs.ext.gpp_sid", "regs.ext.gpc"),
)
TEXTS = (
    *("regs.us_privacy", "regs.gpp", "regs.ext.us_privacy", "regs.ext.gpp", "user.consent", "user.ext.consent"),
    *("user.ext.consented_providers_settings", "user.ext.ConsentedProvidersSettings"),
    "user.ext.ConsentedProvidersSettings.consented_providers",
)


class Case(NamedTuple):
    """One triple: the call, the stored records of its person, the policy."""

    call: pb.PrepareBidRequestRequest
    stored: Stored | Reason
    policy: Policy


def case_of(seed: int) -> Case:
    random = Random(seed)
    person = invent_person(random.getrandbits(48), browser=random.randrange(3))
    call = asking(
        _request(random, person),
        random.sample(NAMES, random.randrange(1, 5)),
        account_id=random.choice((person.account_id, person.account_id, "")),
        device_id=random.choice((person.device_id, "")),
        linked_account_ids=random.choice((person.linked_ids, ())),
        client=pb.ClientSettings(targeted_ads_off=random.random() < 0.05),
    )
    return Case(call, _stored(random, person), policy_of(random))


def _request(random: Random, person: Person) -> Json:
    request = bid_request(person, regs=copy.deepcopy(random.choice(REGULATIONS)))
    if random.random() < 0.7:
        text = STRINGS[random.choice(CONSENTS)]
        holder = request["user"] if random.random() < 0.5 else request["user"]["ext"]
        holder["consent"] = text
    del request["site"]
    _fill(random, request, random.choice(("site", "site", *PLACES)))
    request["device"] |= random.choice(({}, {}, {}, {"lmt": 1}, {"dnt": 1}, {"lmt": 0, "dnt": 0}))
    request["device"]["ext"] |= random.choice(({}, {}, {"atts": 3}, {"atts": 3}, {"atts": 0}))
    if random.random() < 0.5:
        _hide_in_regulations(request["regs"])
    if random.random() < 0.15:
        _hide_in_a_signal(random, request)
    return request


def _fill(random: Random, request: Json, place: str) -> None:
    """Fill the objects that do not concern the person, and hide marks in all of them."""
    filler = Filler(random, HIDDEN, in_type=random.random() < 0.5)
    request[place] = filler.filled(OBJECT_NAMES[place]) | {"id": PLACE_MARK}
    request["source"] = filler.filled("Source")
    request["imp"][0] |= {
        name: filler.filled(name.capitalize()) for name in ("banner", "video", "audio", "native", "pmp")
    }
    request["imp"][0]["ext"] = {**filler.impression_extension(), **request["imp"][0]["ext"]}
    request["imp"][1] = filler.filled("Imp") | request["imp"][1] | {"ext": filler.impression_extension()}
    request["ext"] |= filler.extension() | {"schain": {"complete": 1, "x": HIDDEN}}
    request["ext"]["prebid"]["channel"] |= {"version": {"x": HIDDEN}, "x": HIDDEN}
    request["newfield"] = {"x": HIDDEN}


def _hide_in_regulations(regs: Json) -> None:
    """Hide marks in members of ``regs`` that no specification names."""
    ext = regs.setdefault("ext", {})
    regs |= {"email": HIDDEN, "GDPR": {"x": HIDDEN}}
    ext |= {"x": [HIDDEN], "Ext": HIDDEN, "dsa": {"x": HIDDEN, "dsarequired": HIDDEN, "transparency": [{"x": HIDDEN}]}}


def _hide_in_a_signal(random: Random, request: Json) -> None:
    """Hide a mark in place of a signal; a text would be a consent string."""
    place = random.choice((*FLAGS, *TEXTS))
    *above, name = place.split(".")
    at = request
    for each in above:
        at = at.setdefault(each, {})
    forms: list[Any] = [{"x": HIDDEN}, [HIDDEN], [{"x": HIDDEN}], [7, HIDDEN]]
    at[name] = random.choice([*forms, HIDDEN] if place in FLAGS else forms)


def _stored(random: Random, person: Person) -> Stored | Reason:
    if random.random() < 0.05:
        return random.choice((Reason.STORE_TIMEOUT, Reason.STORE_UNAVAILABLE))
    records = {}
    for subject in person.subjects:
        preference = person.preference
        if random.random() < 0.1:
            preference = preference._replace(choice=Choice.OPT_OUT)
        known = random.random() < 0.97
        records[subject] = record(subject, preference if known else None, person.profile)
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


def _rule(random: Random) -> NetworkRule:
    return NetworkRule(
        withhold=tuple(random.sample(("contact", "profile", "user_id", "precise_position"), random.randrange(1, 3))),
        networks=random.choice(((), ("net*",), ("acme",))),
        countries=random.choice(((), ("US",), ("DE",))),
        do_not_track=random.choice((None, True)),
    )
