"""Envoy's configuration: Envoy accepts it; calls pass encrypted, are retried elsewhere, and nothing else passes."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import grpc
import pytest
import yaml
from adtargeting.v1 import profile_pb2 as prof
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from tests.deploy.tools import DEPLOY, program, run
from tests.rpc import health
from tests.server.calls.direct_service import viewed
from tests.server.running_service import ALICE, settings, wait_until
from tests.server.tracing.otlp_receiver import Receiver, receiving

FILE = DEPLOY / "envoy" / "envoy.yaml"
CALLS = 40
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
Config = dict[str, Any]


def config(certificates: Path) -> Config:
    """The configuration with the certificates of a directory."""
    text = FILE.read_text(encoding="utf-8").replace("/etc/envoy/tls", str(certificates))
    loaded: Config = yaml.safe_load(text)
    return loaded


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of ``localhost``, for Envoy, and of the instances, signed by itself."""
    directory = tmp_path_factory.mktemp("tls")
    key, certificate = directory / "tls.key", directory / "tls.crt"
    made = run(
        program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,DNS:adtargeting-1.internal",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    (directory / "ca.crt").write_bytes(certificate.read_bytes())
    return directory


def routes(loaded: Config) -> list[Config]:
    manager = loaded["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    found: list[Config] = manager["route_config"]["virtual_hosts"][0]["routes"]
    return found


def test_envoy_accepts_it(certificates: Path, tmp_path: Path) -> None:
    written = tmp_path / "envoy.json"
    written.write_text(json.dumps(config(certificates)))
    checked = run(program("envoy"), "--mode", "validate", "-c", written)
    assert checked.returncode == 0, checked.stderr
    assert "deprecated" not in checked.stderr.lower()


def test_an_unknown_field_would_not_be_accepted(certificates: Path, tmp_path: Path) -> None:
    loaded = config(certificates)
    loaded["static_resources"]["clusters"][0]["outlier_detection"]["no_such_field"] = 1
    written = tmp_path / "envoy.json"
    written.write_text(json.dumps(loaded))
    assert run(program("envoy"), "--mode", "validate", "-c", written).returncode != 0


def test_what_may_count_twice_is_repeated_only_where_it_was_never_sent() -> None:
    retried = {
        route["match"].get("path") or route["match"]["prefix"]: set(
            route["route"]["retry_policy"]["retry_on"].split(",")
        )
        for route in routes(yaml.safe_load(FILE.read_text(encoding="utf-8")))
    }
    assert retried["/adtargeting.v1.ProfileService/RecordActivity"] == {"connect-failure", "refused-stream"}
    assert retried["/adtargeting.v1.TargetingService/"] == retried["/adtargeting.v1."] > {"unavailable"}


def test_writes_that_fail_take_no_instance_away_from_decisions() -> None:
    decisions, records = yaml.safe_load(FILE.read_text(encoding="utf-8"))["static_resources"]["clusters"]
    assert decisions["load_assignment"]["endpoints"] == records["load_assignment"]["endpoints"]
    assert "outlier_detection" not in records
    assert decisions["health_checks"][0]["grpc_health_check"] == {"service_name": "adtargeting.v1.TargetingService"}
    assert records["health_checks"][0]["grpc_health_check"] == {"service_name": "adtargeting.v1.PreferenceService"}


@contextmanager
def envoy(loaded: Config, services: list[Service], directory: Path) -> Iterator[str]:
    """Run Envoy in front of services on this machine, and return the port that it serves."""
    loaded["admin"]["address"]["socket_address"]["port_value"] = 0
    listener = loaded["static_resources"]["listeners"][0]["address"]["socket_address"]
    listener.update(address="127.0.0.1", port_value=0)
    for cluster in loaded["static_resources"]["clusters"]:
        cluster["type"] = "STATIC"
        cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": [_endpoint(each) for each in services]}]
    written, admin = directory / "envoy.json", directory / "admin"
    written.write_text(json.dumps(loaded))
    quiet = ("--concurrency", "1", "--disable-hot-restart", "-l", "error")
    command = (program("envoy"), "-c", str(written), *quiet, "--admin-address-path", str(admin))
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield _serving_port(admin)
        finally:
            process.terminate()
            process.wait(30)


def _endpoint(service: Service) -> Config:
    host, _, port = service.address.rpartition(":")
    return {"endpoint": {"address": {"socket_address": {"address": host, "port_value": int(port)}}}}


def _serving_port(admin: Path) -> str:
    """Wait until Envoy is ready and knows the health of both instances."""
    wait_until(lambda: admin.exists() and bool(admin.read_text()), 30)
    url = f"http://{admin.read_text()}"

    def healthy() -> bool:
        try:
            with urlopen(f"{url}/clusters?format=json", timeout=5) as answer:
                clusters = json.load(answer)["cluster_statuses"]
        except URLError:
            return False
        hosts = [host for cluster in clusters for host in cluster.get("host_statuses", ())]
        return len(hosts) == 4 and all("failed_active_health_check" not in host["health_status"] for host in hosts)

    wait_until(healthy, 30)
    with urlopen(f"{url}/listeners?format=json", timeout=5) as answer:
        (listener,) = json.load(answer)["listener_statuses"]
    return str(listener["local_address"]["socket_address"]["port_value"])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def services(tmp_path: Path, receiver: Receiver, certificates: Path) -> Iterator[list[Service]]:
    program("envoy")
    tls = {"tls_cert": str(certificates / "tls.crt"), "tls_key": str(certificates / "tls.key")}
    with ExitStack() as running:
        made = [Service(settings(tmp_path / name, traces=receiver.url, **tls)) for name in ("one", "two")]
        yield [running.enter_context(service) for service in made]


@contextmanager
def channel_to(port: str, certificates: Path) -> Iterator[grpc.Channel]:
    credentials = grpc.ssl_channel_credentials((certificates / "tls.crt").read_bytes())
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        yield channel


def failures(channel: grpc.Channel) -> int:
    """Decide a few times, and count the calls that fail."""
    failed = 0
    for _ in range(CALLS):
        try:
            TargetingServiceStub(channel).Decide(ALICE, timeout=10)
        except grpc.RpcError as problem:
            failed += problem.code() is grpc.StatusCode.UNAVAILABLE
        time.sleep(0.005)
    return failed


@pytest.mark.parametrize("retries", [True, False], ids=["as it is", "without retries"])
def test_an_instance_that_refuses_costs_no_call(
    services: list[Service], certificates: Path, tmp_path: Path, *, retries: bool
) -> None:
    loaded = config(certificates)
    for cluster in loaded["static_resources"]["clusters"]:
        # The instance is to be found only by the calls that it refuses.
        cluster.pop("outlier_detection", None)
    if not retries:
        routes(loaded)[0]["route"].pop("retry_policy")
    with envoy(loaded, services, tmp_path) as port, channel_to(port, certificates) as channel:
        assert failures(channel) == 0
        services[0].gate._lanes.stopping = True  # type: ignore[attr-defined]  # as if it were about to end
        assert (failures(channel) == 0) is retries


def test_the_callers_trace_goes_on_behind_it(
    services: list[Service], receiver: Receiver, certificates: Path, tmp_path: Path
) -> None:
    with envoy(config(certificates), services, tmp_path) as port, channel_to(port, certificates) as channel:
        TargetingServiceStub(channel).Decide(ALICE, metadata=[("traceparent", TRACEPARENT)], timeout=10)
    for service in services:
        service.close()
    (call,) = [span for span in receiver.spans() if span.name == "gate"]
    assert (call.trace_id.hex(), call.parent_span_id.hex()) == tuple(TRACEPARENT.split("-")[1:3])


def test_calls_pass_encrypted_and_nothing_else_does(
    services: list[Service], certificates: Path, tmp_path: Path
) -> None:
    with envoy(config(certificates), services, tmp_path) as port:
        with channel_to(port, certificates) as channel:
            answer = TargetingServiceStub(channel).Decide(ALICE, timeout=10)
            assert answer.mode == pb.MODE_LIMITED
            activities = prof.RecordActivityRequest(activities=[viewed(account_id="alice")])
            recorded = ProfileServiceStub(channel).RecordActivity(activities, timeout=10)
            assert [result.outcome for result in recorded.results] == [prof.OUTCOME_RECORDED]
            with pytest.raises(grpc.RpcError) as refused:
                health(channel)
            assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
        with grpc.insecure_channel(f"127.0.0.1:{port}") as plain, pytest.raises(grpc.RpcError):
            TargetingServiceStub(plain).Decide(ALICE, timeout=2)
