"""``prepare``: the bid request for each network, and the cause of each change."""

import json
import shlex
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest
from adtargeting.v1 import targeting_pb2 as pb
from google.protobuf.json_format import Parse

from server.cli.prepare import add_arguments, request_from
from targeting.openrtb.difference import ChangeKind, differences
from tests.server.cli.conftest import ROOT, WIDTH, Adt

EXAMPLES = ROOT / "docs" / "examples"


def changes(before: Any, after: Any) -> list[tuple[str, str, str, str]]:
    return [(each.kind.value, each.path, each.before, each.after) for each in differences(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"a": 1}, {"a": 1}, [], id="nothing"),
        pytest.param({"a": 1, "b": 2}, {"b": 2}, [("-", "a", "1", "")], id="removed"),
        pytest.param({"a": "é"}, {"a": 1.5}, [("~", "a", '"é"', "1.5")], id="changed"),
        pytest.param({}, {"a": {"b": []}}, [("+", "a", "", '{"b": []}')], id="added"),
        pytest.param({"a": {"b": 1}}, {"a": {"c": 1}}, [("-", "a.b", "1", ""), ("+", "a.c", "", "1")], id="within"),
        pytest.param({"a": [{"b": 1}]}, {"a": [{}]}, [("-", "a[0].b", "1", "")], id="within an item"),
        pytest.param(
            {"user": {"data": [1]}},
            {"user": {"data": [2]}},
            [("-", "user.data", "[1]", ""), ("+", "user.data", "", "[2]")],
            id="another's",
        ),
        pytest.param({"a": [1]}, {"a": [1, 2]}, [("~", "a", "[1]", "[1, 2]")], id="another number of items"),
        pytest.param({"z": 1, "a": 1}, {}, [("-", "z", "1", ""), ("-", "a", "1", "")], id="in their order"),
        pytest.param({"z": 1}, {"b": 1}, [("-", "z", "1", ""), ("+", "b", "", "1")], id="what was added comes last"),
    ],
)  # fmt: skip
def test_every_difference_is_found(before: Any, after: Any, expected: list[tuple[str, str, str, str]]) -> None:
    assert changes(before, after) == expected


@pytest.mark.parametrize(
    ("path", "kind", "cause"),
    [
        ("device.ifa", ChangeKind.REMOVED, "identifies the device"),
        ("device.ip", ChangeKind.CHANGED, "the address is masked"),
        ("device.geo", ChangeKind.REMOVED, "a location is cut to country and region"),
        ("user.yob", ChangeKind.REMOVED, "personal data"),
        ("user.eids", ChangeKind.REMOVED, "identifies the person"),
        ("user.eids", ChangeKind.ADDED, "the network-scoped id"),
        ("regs.gdpr", ChangeKind.ADDED, "moved to its OpenRTB 2.6 place, unchanged"),
        ("regs.coppa", ChangeKind.REMOVED, "a malformed privacy signal"),
        ("device.lmt", ChangeKind.REMOVED, "a malformed privacy signal"),
        ("device.devicetype", ChangeKind.REMOVED, "not a device type that OpenRTB lists"),
        ("eids", ChangeKind.REMOVED, "not a field of OpenRTB, or of another type"),
        ("imp.new", ChangeKind.REMOVED, "not a field of OpenRTB, or of another type"),
        ("new", ChangeKind.ADDED, "rebuilt"),
    ],
)
def test_every_difference_has_its_reason(path: str, kind: ChangeKind, cause: str) -> None:
    value: Any = 1
    for name in reversed(path.split(".")[1:]):
        value = {name: value}
    holder = path.partition(".")[0]
    whole: dict[str, Any] = {holder: value}
    part: dict[str, Any] = {holder: {}} if isinstance(value, dict) else {}
    before, after = {ChangeKind.REMOVED: (whole, part), ChangeKind.ADDED: (part, whole)}.get(
        kind, (whole, _other(path))
    )
    assert [(each.path, each.cause) for each in differences(before, after)] == [(path, cause)]


def _other(path: str) -> Any:
    holder, _, name = path.partition(".")
    return {holder: {name: 2}}


def test_every_argument_is_in_the_call() -> None:
    parser = ArgumentParser()
    add_arguments(parser)
    argv = (
        "bid.json --network a --network b --account x --linked y --device d --country US --language en "
        "--targeted-ads-off"
    )
    assert request_from(parser.parse_args(shlex.split(argv)), b"{}") == pb.PrepareBidRequestRequest(
        bid_request=b"{}",
        account_id="x",
        linked_account_ids=["y"],
        device_id="d",
        client=pb.ClientSettings(country="US", language="en", targeted_ads_off=True),
        third_party_networks=["a", "b"],
        dry_run=True,
    )
    assert not request_from(parser.parse_args(["bid.json", "--no-dry-run"]), b"").dry_run


def test_it_shows_what_changes_for_each_network_and_why(served: Adt) -> None:
    ended = served("prepare", str(EXAMPLES / "app-android-us-privacy.json"), "--network", "partner", "--network", "x")
    assert (ended.status, ended.err) == (0, "")
    assert all(len(line) <= WIDTH for line in ended.lines)
    assert "  NO_SUBJECT: the request identifies no subject" in ended.lines
    assert any(line.startswith("partner may be contacted; receives limited features only") for line in ended.lines)
    for field in ("device.ip", "device.ifa", "user.yob", "user.data"):
        assert sum(field in line.split() for line in ended.lines) == 2, field


def test_it_says_who_may_not_be_contacted(served: Adt) -> None:
    ended = served("prepare", str(EXAMPLES / "web-display-gdpr.json"), "--network", "partner")
    assert ended.lines[-1].startswith("partner may not be contacted: TCF_NO_CONSENT")


def test_without_a_network_it_says_how_to_name_one(served: Adt) -> None:
    assert "--network ID" in served("prepare", str(EXAMPLES / "web-display-gdpr.json")).out


def test_as_json_it_is_the_whole_answer(served: Adt) -> None:
    ended = served("prepare", str(EXAMPLES / "ctv-gpp-california.json"), "--network", "partner", "--json")
    answer = Parse(ended.out, pb.PrepareBidRequestResponse())
    assert json.loads(answer.bid_requests[0].bid_request)["id"] == "ctv-63aa10"


def test_a_file_that_cannot_be_used(served: Adt, tmp_path: Path) -> None:
    missing = served("prepare", str(tmp_path / "missing.json"))
    assert (missing.status, missing.out) == (2, "")
    assert missing.err.endswith("missing.json cannot be read: No such file or directory\n")
    (tmp_path / "bad.json").write_text('{"id":"1","imp":"secret"}')
    refused = served("prepare", str(tmp_path / "bad.json"))
    assert (refused.status, refused.out) == (1, "")
    assert "bid_request.imp: must contain 1 to 256 impressions" in refused.err
    assert "secret" not in refused.err
