"""The bid requests under ``docs/examples``: valid, invented, and full of what a filter must act on."""

import json
import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from tests.targeting.openrtb.openrtb_tables import validate
from tests.targeting.openrtb.preparing import asking, prepare

FOLDER = Path(__file__).parents[2] / "docs" / "examples"
EXAMPLES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))
}
DOCUMENTATION_NETWORKS = [
    ip_network(network) for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
every_example = pytest.mark.parametrize("name", EXAMPLES)


def paths(value: object, path: str = "") -> Iterator[str]:
    """The dotted path of everything in a document; a list adds ``[]``."""
    yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from paths(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for each in value:
            yield from paths(each, f"{path}[]")


def test_there_are_ten_and_the_readme_lists_them() -> None:
    listed = re.findall(r"^\| `([^`]+)\.json`", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(EXAMPLES) == 10
    assert sorted(listed) == sorted(EXAMPLES)


NETWORKS = ("acme", "borealis", "cobalt", "estuary", "partner")


def rows() -> dict[str, list[str]]:
    """The cells of the README's table of outcomes, by example."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| `") and ".json` |" in line]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first.strip("`").removesuffix(".json"): others for first, *others in cells}


@every_example
def test_the_readme_says_what_comes_out(name: str) -> None:
    prepared = prepare(asking(EXAMPLES[name], NETWORKS))
    decision = prepared.decision
    assert prepared.texts
    assert rows()[name] == [
        pb.Mode.Name(decision.mode).removeprefix("MODE_"),
        ", ".join(pb.Reason.Name(reason).removeprefix("REASON_") for reason in decision.reasons) or "none",
        *(
            _named([network.network_id for network in decision.networks if getattr(network, answer)])
            for answer in ("contact_allowed", "profile_shared", "id_shared", "precise_geo_allowed")
        ),
    ]


def _named(networks: list[str]) -> str:
    return "all" if len(networks) == len(NETWORKS) else ", ".join(networks) or "none"


@every_example
def test_the_readme_says_why(name: str) -> None:
    assert f"\n- `{name}.json`, " in (FOLDER / "README.md").read_text(encoding="utf-8")


@every_example
def test_it_is_a_valid_bid_request(name: str) -> None:
    assert validate(EXAMPLES[name]) == []


@every_example
def test_its_addresses_are_reserved_for_documentation(name: str) -> None:
    device = EXAMPLES[name]["device"]
    addresses = [ip_address(device[key]) for key in ("ip", "ipv6") if key in device]
    assert addresses
    assert all(any(address in network for network in DOCUMENTATION_NETWORKS) for address in addresses)


@every_example
def test_its_domains_are_set_aside_for_examples(name: str) -> None:
    hosts = re.findall(r"https?://([^/\"]+)", json.dumps(EXAMPLES[name]))
    assert all(re.fullmatch(r"(.+\.)?(example\.(com|net|org)|example)", host) for host in hosts)


@every_example
def test_it_names_a_country(name: str) -> None:
    assert re.fullmatch(r"[A-Z]{3}", EXAMPLES[name]["device"]["geo"]["country"])


@pytest.mark.parametrize(
    "path",
    [
        "user.id",
        "user.buyeruid",
        "user.yob",
        "user.gender",
        "user.keywords",
        "user.kwarray",
        "user.customdata",
        "user.consent",
        "user.geo.zip",
        "user.data[].segment[].id",
        "user.data[].ext.segtax",
        "user.eids[].uids[].id",
        "user.ext.consent",
        "user.ext.eids",
        "user.ext.prebid.buyeruids",
        "device.ip",
        "device.ipv6",
        "device.ua",
        "device.sua.browsers",
        "device.make",
        "device.model",
        "device.os",
        "device.osv",
        "device.hwv",
        "device.h",
        "device.w",
        "device.ppi",
        "device.pxratio",
        "device.carrier",
        "device.mccmnc",
        "device.ifa",
        "device.didsha1",
        "device.didmd5",
        "device.dpidsha1",
        "device.dpidmd5",
        "device.macsha1",
        "device.macmd5",
        "device.dnt",
        "device.lmt",
        "device.geo.lat",
        "device.geo.lon",
        "device.geo.zip",
        "device.ext.atts",
        "device.ext.ifv",
        "imp[].ext.prebid.bidder.acme",
        "imp[].ext.acme",
        "imp[].ext.skadn",
        "imp[].pmp.deals[].id",
        "regs.coppa",
        "regs.gdpr",
        "regs.ext.gdpr",
        "regs.us_privacy",
        "regs.gpp",
        "regs.gpp_sid",
        "regs.ext.gpc",
        "site.content.data",
        "ext.prebid.bidderconfig",
        "ext.prebid.data.eidpermissions",
    ],
)
def test_what_a_filter_must_act_on_occurs(path: str) -> None:
    assert any(path in paths(example) for example in EXAMPLES.values())


def test_one_request_is_under_no_regime() -> None:
    request = EXAMPLES["web-multi-format-no-regime"]
    assert "regs" not in request
    assert "consent" not in request["user"]
    assert not {"dnt", "lmt"} & set(request["device"])
