"""What probes over HTTP are told while a service starts, serves, drains and loses a part."""

import threading
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from server.app import Service
from server.lifecycle.vital_threads import VitalThreads
from tests.server.running_service import settings


def answers(service: Service) -> tuple[str, str]:
    """The answers of ``/livez`` and ``/readyz``."""
    return asked(service, "/livez"), asked(service, "/readyz")


def asked(service: Service, path: str) -> str:
    try:
        with urlopen(f"http://{service.metrics_address}{path}", timeout=10) as answer:
            return f"{answer.status} {answer.read().decode().strip()}"
    except HTTPError as problem:
        with problem:
            return f"{problem.code} {problem.read().decode().strip()}"


class Starting(Service):
    """Asks while the start is under way."""

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(settings(tmp_path, drain_delay_s=0))
        self.while_starting = ("", "")

    def _serve_calls(self) -> None:
        self.while_starting = answers(self)
        super()._serve_calls()


def test_a_service_is_ready_between_start_and_drain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Starting(tmp_path)
    with service:
        assert service.while_starting == ("200 ok", "503 starting")
        assert answers(service) == ("200 ok", "200 ok")
        monkeypatch.setattr(VitalThreads, "ended", lambda _: "thread call-worker")
        assert asked(service, "/readyz") == "503 thread call-worker"
        monkeypatch.undo()
        service.drain(threading.Event())
        assert answers(service) == ("200 ok", "503 draining")
