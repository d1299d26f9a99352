"""``prepare``: what becomes of a bid request for each network, and why."""

import json
import shlex
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest
from adtargeting.v1 import targeting_pb2 as pb
from google.protobuf.json_format import Parse

from server.cli.bid_request_diff import Change, differences
from server.cli.prepare import arguments, request_from
from tests.server.cli.conftest import ROOT, WIDTH, Adt

EXAMPLES = ROOT / "docs" / "examples"


def changes(before: Any, after: Any) -> list[tuple[str, str, str, str]]:
    return [(each.change.value, each.path, each.before, each.after) for each in differences(before, after)]


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
    ("path", "change", "why"),
    [
        ("device.ifa", Change.REMOVED, "identifies the device"),
        ("device.ip", Change.CHANGED, "an address is masked"),
        ("device.geo", Change.REMOVED, "a place is told to country and region"),
        ("user.yob", Change.REMOVED, "says something of the person"),
        ("user.eids", Change.REMOVED, "identifies the person"),
        ("user.eids", Change.ADDED, "the network's own id for the person"),
        ("regs.gdpr", Change.ADDED, "where OpenRTB 2.6 keeps it; unchanged"),
        ("regs.coppa", Change.REMOVED, "a signal that has not the form of one"),
        ("device.lmt", Change.REMOVED, "a signal that has not the form of one"),
        ("device.devicetype", Change.REMOVED, "is no type that OpenRTB lists"),
        ("eids", Change.REMOVED, "is not passed on from here: a user or a device has it"),
        ("imp.new", Change.REMOVED, "is not passed on"),
        ("new", Change.ADDED, "rebuilt"),
    ],
)
def test_every_difference_has_its_reason(path: str, change: Change, why: str) -> None:
    value: Any = 1
    for name in reversed(path.split(".")[1:]):
        value = {name: value}
    holder = path.partition(".")[0]
    whole: dict[str, Any] = {holder: value}
    part: dict[str, Any] = {holder: {}} if isinstance(value, dict) else {}
    before, after = {Change.REMOVED: (whole, part), Change.ADDED: (part, whole)}.get(change, (whole, _other(path)))
    assert [(each.path, each.why) for each in differences(before, after)] == [(path, why)]


def _other(path: str) -> Any:
    holder, _, name = path.partition(".")
    return {holder: {name: 2}}


def test_every_argument_is_in_the_call() -> None:
    parser = ArgumentParser()
    arguments(parser)
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
    )


def test_it_shows_what_changes_for_each_network_and_why(served: Adt) -> None:
    ended = served("prepare", str(EXAMPLES / "app-android-us-privacy.json"), "--network", "partner", "--network", "x")
    assert (ended.status, ended.err) == (0, "")
    assert all(len(line) <= WIDTH for line in ended.lines)
    assert "  NO_SUBJECT: nobody is identified" in ended.lines
    assert any(line.startswith("partner may be contacted; gets limited features only") for line in ended.lines)
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
    (tmp_path / "bad.json").write_text('{"id":"1","imp":[{"id":"1"}],"tmax":"secret"}')
    refused = served("prepare", str(tmp_path / "bad.json"))
    assert (refused.status, refused.out) == (1, "")
    assert "bid_request.tmax: must be a whole number, not a string" in refused.err
    assert "secret" not in refused.err
