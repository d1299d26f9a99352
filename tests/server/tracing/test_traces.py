"""Traces of a whole service: which spans a call has, below which parent, and that they say nothing of anybody."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.profile_pb2 import GetProfileRequest
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from server.app import Service
from server.settings import SettingsError
from tests.server.running_service import ALICE, settings
from tests.server.tracing.otlp_receiver import Receiver, receiving

ROOT = Path(__file__).parents[3]
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = (("traceparent", f"00-{TRACE}-{PARENT}-01"), ("tracestate", "vendor=planted"), ("baggage", "id=planted"))
NOT_SAMPLED = (("traceparent", f"00-{TRACE}-{PARENT}-00"),)
BATCH = pb.DecideBatchRequest(requests=[ALICE] * 3)


def traced(tmp_path: Path, receiver: Receiver, metadata: Any, **more: Any) -> list[Span]:
    """Make one Decide, one DecideBatch and one GetProfile, and return the spans that arrive."""
    with (
        Service(settings(tmp_path, traces=receiver.url, **more)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        targeting = TargetingServiceStub(channel)
        targeting.Decide(ALICE, metadata=metadata, timeout=10)
        targeting.DecideBatch(BATCH, metadata=metadata, timeout=10)
        ProfileServiceStub(channel).GetProfile(GetProfileRequest(account_id="alice"), metadata=metadata, timeout=10)
    return receiver.spans()


def attributes(span: Span) -> dict[str, str | int]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


@pytest.mark.parametrize("gate", ["http2", "grpcio"])
def test_a_call_is_traced_below_its_caller(tmp_path: Path, gate: str) -> None:
    with receiving() as receiver:
        spans = traced(tmp_path, receiver, SAMPLED, gate=gate, traces_one_in=1_000_000_000)
        everything = b"".join(request.SerializeToString() for request in receiver.requests)
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    calls = {str(attributes(span)["rpc.method"]): span for span in spans if span.name == "gate"}
    assert set(calls) == {"Decide", "DecideBatch", "GetProfile"}
    assert {span.parent_span_id.hex() for span in calls.values()} == {PARENT}
    for method, count in (("Decide", 1), ("DecideBatch", 3)):
        below = {span.name: span for span in spans if span.parent_span_id == calls[method].span_id}
        assert set(below) == {"store", "decide"}
        assert attributes(below["decide"]) == {"adtargeting.count": count, "adtargeting.calls": 1}
        assert below["store"].end_time_unix_nano <= below["decide"].start_time_unix_nano
        assert calls[method].start_time_unix_nano <= below["store"].start_time_unix_nano
    assert attributes(calls["Decide"]) == {
        "rpc.system": "grpc", "rpc.method": "Decide", "rpc.grpc.status_code": 0
    }  # fmt: skip
    assert b"alice" not in everything
    assert b"planted" not in everything
    assert not any(span.trace_state for span in spans)


@pytest.mark.parametrize(
    ("metadata", "one_in", "spans"),
    [(NOT_SAMPLED, 1, 0), (None, 1, 7), (None, 1_000_000_000, 0), ((("traceparent", "nonsense"),), 1, 7)],
    ids=["the caller says no", "the caller says nothing", "hardly ever", "the caller says nonsense"],
)
def test_who_is_sampled(tmp_path: Path, metadata: Any, one_in: int, spans: int) -> None:
    with receiving() as receiver:
        assert len(traced(tmp_path, receiver, metadata, traces_one_in=one_in)) == spans


def test_a_receiver_that_is_not_there_costs_no_call_and_no_end(tmp_path: Path) -> None:
    with receiving() as gone:
        url = gone.url
    with (
        Service(settings(tmp_path, traces=url, traces_one_in=1)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        assert TargetingServiceStub(channel).Decide(ALICE, timeout=10).mode == pb.MODE_LIMITED


@pytest.mark.parametrize(
    ("url", "problem"), [("127.0.0.1:4317", "must be the URL"), ("unix:/run/otlp.sock", "must be the URL")]
)
def test_what_is_no_url_stops_the_start(tmp_path: Path, url: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=f"ADTARGETING_TRACES: {problem}"), Service(settings(tmp_path, traces=url)):
        raise AssertionError("it started")


def test_without_the_packages_the_start_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.tracing.assembly.find_spec", lambda _: None)
    with (
        pytest.raises(SettingsError, match=r"pip install 'adtargeting\[otel\]'"),
        Service(settings(tmp_path, traces="http://127.0.0.1:4317")),
    ):
        raise AssertionError("it started")


def test_a_service_without_traces_imports_nothing_of_it() -> None:
    """No wheel of it need be there; the lanes and the worker are the plain ones."""
    program = (
        "import sys; import server.app; import server.gate.grpcio; "
        "print([name for name in sys.modules if name.startswith('opentelemetry.sdk') or 'traced' in name])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={"PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}"},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert shown.stdout == "[]\n"
