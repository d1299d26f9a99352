"""Malformed calls are refused by field; malformed signals never fail a decision."""

from typing import Any

import pytest
from adtargeting.v1 import targeting_pb2 as pb
from google.rpc import code_pb2, error_details_pb2, status_pb2

from server.gate.methods import DECIDE, DECIDE_BATCH, PREPARE_BID_REQUEST
from server.gate.port import Method, Refusal
from tests.server.decisions.worker_bench import Bench, not_utf8, request, response, spoilt

MALFORMED = [
    ("request_id", {"request_id": "x" * 257}, "request_id"),
    ("account_id", {"account_id": "x" * 257}, "account_id"),
    ("account_id in characters of four bytes", {"account_id": "😀" * 65}, "account_id"),
    ("account_id of 257 bytes and fewer characters", {"account_id": "é" * 128 + "x"}, "account_id"),
    ("device_id", {"device_id": "x" * 257}, "device_id"),
    ("linked account", {"linked_account_ids": ["ok", "x" * 257]}, "linked_account_ids[1]"),
    ("linked accounts", {"linked_account_ids": ["x"] * 9}, "linked_account_ids"),
    ("networks", {"third_party_networks": ["x"] * 65}, "third_party_networks"),
    ("network", {"third_party_networks": ["x" * 257]}, "third_party_networks[0]"),
    ("no network", {"third_party_networks": ["x", ""]}, "third_party_networks[1]"),
    ("country", {"client": pb.ClientSettings(country="Atlantis")}, "client.country"),
]


@pytest.mark.fault(row=16)
@pytest.mark.parametrize(("fields", "field"), [row[1:] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
def test_a_malformed_request_is_refused_by_field_and_without_its_value(fields: dict[str, Any], field: str) -> None:
    bench = Bench()
    good, bad = bench.gate.put(DECIDE, request()), bench.gate.put(DECIDE, request(**fields))
    answer, refusal = bench.serve(good, bad)
    assert response(answer).mode == pb.MODE_LIMITED
    assert isinstance(refusal, Refusal)
    assert refusal.code == code_pb2.INVALID_ARGUMENT
    status = status_pb2.Status.FromString(refusal.status)
    details = error_details_pb2.BadRequest()
    assert status.details[0].Unpack(details)
    assert [violation.field for violation in details.field_violations] == [field]
    for text in ("xxx", "Atlantis", "😀"):
        assert text not in refusal.message
        assert text.encode() not in refusal.status


LONGEST = ["x" * 256, "😀" * 64]


@pytest.mark.parametrize("text", LONGEST, ids=["256 characters", "64 characters of four bytes"])
@pytest.mark.parametrize(
    "field", ["request_id", "account_id", "device_id", "linked_account_ids", "third_party_networks"]
)
def test_an_id_of_256_bytes_is_taken(field: str, text: str) -> None:
    bench = Bench()
    value = [text] if field in {"linked_account_ids", "third_party_networks"} else text
    (answer,) = bench.serve(bench.gate.put(DECIDE, request(**{field: value})))
    assert isinstance(answer, bytes)


def test_bytes_that_are_no_request_are_refused() -> None:
    bench = Bench()
    for method in (DECIDE, DECIDE_BATCH):
        (refusal,) = bench.serve(bench.gate.put(method, b"\xff\xff\xff"))
        assert isinstance(refusal, Refusal)
        assert refusal.code == code_pb2.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "fields",
    [
        {"ip": "1" * 10_000},
        {"ip": "::1%eth0"},
        {"accept_language": ";;;=" * 500},
        {"cookie_header": "TOptOut" + "\0" * 9000},
        {"signals": pb.PrivacySignals(tcf_consent="x" * 30_000, gpp="~" * 20_000, us_privacy="?", gdpr_applies=True)},
        {"signals": pb.PrivacySignals(gpp_section_ids=[-5, 0, 2**31 - 1])},
        {"signals": pb.PrivacySignals(gpp_section_ids=[-1] * 10_000)},
        {"client": pb.ClientSettings(language="?!")},
    ],
    ids=["ip", "zone", "language", "cookies", "signals", "sections", "10,000 sections", "client language"],
)
def test_a_malformed_signal_never_fails_a_decision(fields: dict[str, Any]) -> None:
    bench = Bench()
    (answer,) = bench.serve(bench.gate.put(DECIDE, request(**fields)))
    assert response(answer).mode == pb.MODE_LIMITED


def test_a_cookie_header_that_is_not_utf8_fails_no_decision() -> None:
    bench = Bench()
    (answer,) = bench.serve(bench.gate.put(DECIDE, spoilt(not_utf8(pb.DecideRequest(account_id="alice")))))
    assert response(answer).mode == pb.MODE_LIMITED
    assert pb.REASON_SIGNAL_UNREADABLE in response(answer).reasons
    (refusal,) = bench.serve(bench.gate.put(DECIDE, spoilt(pb.DecideRequest(account_id="\N{BULLET}"))))
    assert isinstance(refusal, Refusal)
    assert refusal.message == "account_id: must be UTF-8"


FOREIGN: dict[str, tuple[dict[str, Any], str]] = {
    "ip": ({"ip": "192.0.2.1\N{BULLET}"}, "TCF_NO_CONSENT"),
    "accept_language": ({"accept_language": "en\N{BULLET}"}, "NO_PROFILE"),
    "client.language": ({"client": pb.ClientSettings(language="en\N{BULLET}")}, "NO_PROFILE"),
    "tcf_consent": ({"signals": pb.PrivacySignals(tcf_consent="\N{BULLET}", gdpr_applies=True)}, "SIGNAL_UNREADABLE"),
    "gpp": ({"signals": pb.PrivacySignals(gpp="\N{BULLET}")}, "SIGNAL_UNREADABLE"),
    "us_privacy": ({"signals": pb.PrivacySignals(us_privacy="1YN\N{BULLET}")}, "SIGNAL_UNREADABLE"),
}


@pytest.mark.parametrize(("fields", "reason"), FOREIGN.values(), ids=FOREIGN)
def test_what_others_wrote_and_is_not_utf8_never_fails_a_decision(fields: dict[str, Any], reason: str) -> None:
    """An address that cannot be read shows no country, so the GDPR may apply; a language limits nothing."""
    bench = Bench()
    asked = pb.DecideRequest(**{"account_id": "alice", "ip": "192.0.2.1", **fields})
    (answer,) = bench.serve(bench.gate.put(DECIDE, spoilt(asked)))
    assert pb.Reason.Value(f"REASON_{reason}") in response(answer).reasons


def test_an_item_whose_id_is_not_utf8_is_refused_alone() -> None:
    bench = Bench()
    requests = [pb.DecideRequest(request_id=str(number), account_id="alice", ip="192.0.2.1") for number in range(3)]
    requests[1].device_id = "\N{BULLET}"
    (answer,) = bench.serve(bench.gate.put(DECIDE_BATCH, spoilt(pb.DecideBatchRequest(requests=requests))))
    assert isinstance(answer, bytes)
    results = pb.DecideBatchResponse.FromString(answer).results
    assert [each.WhichOneof("result") for each in results] == ["response", "error", "response"]
    assert [results[number].response.request_id for number in (0, 2)] == ["0", "2"]
    assert results[1].error == pb.DecideBatchError(
        code=code_pb2.INVALID_ARGUMENT, field="device_id", message="device_id: must be UTF-8"
    )


@pytest.mark.parametrize(
    ("method", "payload"),
    [
        (DECIDE, b"\xff"),
        (DECIDE_BATCH, b"\xff"),
        (PREPARE_BID_REQUEST, b"\xff"),
    ],
    ids=["no message", "no batch", "nothing to prepare"],
)
def test_what_cannot_be_parsed_is_refused_in_words(method: Method, payload: bytes) -> None:
    bench = Bench()
    (refusal,) = bench.serve(bench.gate.put(method, payload))
    assert isinstance(refusal, Refusal)
    assert refusal.code == code_pb2.INVALID_ARGUMENT
    assert refusal.message.startswith("not a valid adtargeting.v1.")


@pytest.mark.parametrize("broken", [b"", spoilt(pb.DecideBatchRequest(requests=[not_utf8(pb.DecideRequest())]))])
def test_too_many_items_are_refused_however_they_are_read(broken: bytes) -> None:
    bench = Bench()
    message = pb.DecideBatchRequest(requests=[pb.DecideRequest()] * 257)
    (refusal,) = bench.serve(bench.gate.put(DECIDE_BATCH, message.SerializeToString() + broken))
    assert isinstance(refusal, Refusal)
    assert refusal.message.startswith("requests:")


@pytest.mark.parametrize("count", [0, 257])
def test_a_batch_of_another_size_is_refused(count: int) -> None:
    bench = Bench()
    message = pb.DecideBatchRequest(requests=[pb.DecideRequest()] * count)
    (refusal,) = bench.serve(bench.gate.put(DECIDE_BATCH, message.SerializeToString()))
    assert isinstance(refusal, Refusal)
    assert refusal.message.startswith("requests:")
