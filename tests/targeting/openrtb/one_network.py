"""Prepare a bid request about Alice for one network."""

from dataclasses import replace
from typing import Any

from targeting.policy.policy import BidRequestPolicy, NetworkPolicy, Policy
from targeting.policy.profile_fields import SHAREABLE_FIELDS
from targeting.records.preference import Choice
from tests.targeting.openrtb.preparing import (
    ALICE,
    NO_CHOICE,
    Json,
    asking,
    prepare,
    record,
)

OPTED_OUT = {ALICE: record(preference=NO_CHOICE._replace(choice=Choice.OPT_OUT))}


ALLOWED = NetworkPolicy("net", fields=SHAREABLE_FIELDS, user_id=True)


STRANGE = NetworkPolicy("strange")


POLICY = Policy(networks=(ALLOWED, STRANGE), bid_request=BidRequestPolicy(source="ads.example.com"))


LEAST: Json = {"id": "1", "imp": [{"id": "1", "banner": {}}]}


US: Json = {"ip": "192.0.2.137", "geo": {"country": "USA", "region": "NY"}}
DEVICE: Json = {
    "ua": "Mozilla/5.0 (Linux; Android 14; Pixel 8 Pro) Chrome/124.0.6367.82 Mobile Safari/537.36",
    "sua": {
        "browsers": [{"brand": "Chromium", "version": ["124", "0"], "ext": {"x": 1}}],
        "platform": {"brand": "Android", "version": ["14"], "ext": {"x": 1}},
        "mobile": 1,
        "model": "Pixel 8 Pro",
        "ext": {"x": 1},
    },
    "devicetype": 4,
    "make": "Google",
    "model": "Pixel 8 Pro",
    "os": "Android",
    "osv": "14",
    "hwv": "r2",
    "h": 2992,
    "w": 1344,
    "ppi": 489,
    "pxratio": 2.625,
    "carrier": "EXAMPLE",
    "connectiontype": 6,
    "geo": {"country": "USA"},
    "ext": {"ifv": "x"},
}


def bid(**fields: Any) -> Json:
    """A bid request from the United States, unless the fields say otherwise."""
    return {**LEAST, "device": US, **fields}


def sent(bid_request: Json, network: str = "net", *, policy: Policy = POLICY, **others: Any) -> Json:
    """The bid request that one network receives about Alice, who made no choice."""
    return prepare(asking(bid_request, [network]), policy=policy, **others).bid_requests[network]


def terms(**permissions: Any) -> Policy:
    return replace(POLICY, networks=(replace(ALLOWED, **permissions),))
