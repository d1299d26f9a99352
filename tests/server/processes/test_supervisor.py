"""Several processes behind one port: seen from outside, with real processes, signals and a store of their own."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from server.gate.assembly import has_http2
from targeting.decision_records.form import DecisionRecord
from targeting.decision_records.lines import read_line
from tests.server.cli.conftest import started
from tests.server.processes.running_supervisor import RunningSupervisor, family, is_any_alive, running, settings
from tests.waiting import eventually

GATES = [pytest.param("http2", marks=pytest.mark.skipif(not has_http2(), reason="h2corn is not installed")), "grpcio"]


def ended_by_itself(process: "subprocess.Popen[str]") -> tuple[int, str]:
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def decisions(service: RunningSupervisor) -> float:
    return service.metric("adtargeting_decisions_total")


@pytest.mark.parametrize("gate", GATES)
def test_two_processes_share_port_store_and_metrics_and_end_together(tmp_path: Path, gate: str) -> None:
    with running(tmp_path, ADTARGETING_GATE=gate) as service:
        assert "by 2 processes" in service.line
        assert "an embedded Redis" in service.line
        assert service.metric("adtargeting_processes") == 2
        assert service.metric("adtargeting_worker_ends_total") == 0
        for _ in range(20):
            service.decide()
        assert decisions(service) == 20
        # The canaries of both workers are asked about, and are no decisions.
        eventually(lambda: service.metric("adtargeting_canary_answers_total", outcome="held") > 60)
        assert service.metric("adtargeting_canary_leaks_total") == 0
        assert decisions(service) == 20
        workers = service.workers
        assert len(workers) == 2
        assert service.end() == 0
        assert not is_any_alive(workers)


@pytest.mark.fault(row=12)
def test_a_worker_that_is_killed_is_replaced_and_no_counter_falls(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        for _ in range(5):
            service.decide()
        counted = decisions(service)
        killed, other = sorted(service.workers)
        os.kill(killed, signal.SIGKILL)
        service.decide()
        assert is_any_alive({other})
        eventually(lambda: len(service.workers - {killed}) == 2)
        assert service.metric("adtargeting_worker_ends_total") == 1
        assert decisions(service) >= counted
        assert service.end() == 0


def test_workers_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        pids = family(service.process.pid)
        service.process.kill()
        service.process.wait()
        eventually(lambda: not is_any_alive(pids))


def test_every_worker_reads_the_policy_again(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('version = "first"\n')
    with running(tmp_path / "data", "--policy", str(policy)) as service:
        assert service.decide().policy_version == "first"
        policy.write_text('version = "second"\n')
        service.process.send_signal(signal.SIGHUP)
        eventually(lambda: service.metric("adtargeting_policy_info", version="second") == 1)
        eventually(lambda: service.metric("adtargeting_policy_info", version="first") == 0)
        assert {service.decide().policy_version for _ in range(10)} == {"second"}


def test_every_worker_judges_in_the_shadow_and_records_into_the_one_file(tmp_path: Path) -> None:
    shadow, records = tmp_path / "shadow.toml", tmp_path / "records.jsonl"
    shadow.write_text('version = "shadow"\n')
    more = {
        "ADTARGETING_POLICY_SHADOW": str(shadow),
        "ADTARGETING_DECISION_RECORDS": str(records),
        "ADTARGETING_DECISION_RECORDS_ONE_IN": "1",
        "ADTARGETING_DECISION_RECORDS_CROWD": "1",
    }
    with running(tmp_path / "data", **more) as service:
        for _ in range(20):
            service.decide()
        assert service.metric("adtargeting_shadow_judged_total") == 20
        eventually(lambda: service.metric("adtargeting_decision_records_total") == 20)
        assert service.end() == 0
    lines = [read_line(line) for line in records.read_bytes().splitlines(keepends=True)]
    assert sum(isinstance(line, DecisionRecord) for line in lines) == 20


@pytest.mark.parametrize(
    ("setting", "value"), [("ADTARGETING_POLICY", "none.toml"), ("ADTARGETING_GEO_DB", "none.mmdb")]
)
def test_workers_that_cannot_start_end_the_start_in_one_line(tmp_path: Path, setting: str, value: str) -> None:
    with started("serve", "--processes", "2", **settings(tmp_path), **{setting: value}) as process:
        status, errors = ended_by_itself(process)
    assert status == 2
    lines = [line for line in errors.splitlines() if line.startswith("adtargeting:")]
    assert len(lines) == 1
    assert value in lines[0] or setting in lines[0]


@pytest.mark.parametrize("number", ["0", "65", "two", "-1", "1.5", ""])
def test_an_impossible_number_is_refused(tmp_path: Path, number: str) -> None:
    with started("serve", "--processes", number, **settings(tmp_path)) as process:
        status, errors = ended_by_itself(process)
    assert status == 2
    assert errors == "adtargeting: --processes: must be auto, or a number from 1 to 64\n"
