"""The processes around the service: serve until a signal says stop, in one process or under a supervisor."""

import logging
import os
import signal
import sys
import threading
from types import FrameType
from typing import Final, NamedTuple

from server.app import Service
from server.build import PROGRAM, build_version
from server.memory import share_heaps
from server.settings import Settings
from server.web.assembly import own_origin

_CHECK_EVERY_S: Final = 0.2
_LOG = logging.getLogger(__name__)


class Signals(NamedTuple):
    """What the signals of the operating system ask for."""

    stop: threading.Event
    hurry: threading.Event
    reload: threading.Event

    @classmethod
    def installed(cls) -> "Signals":
        """Have SIGTERM and SIGINT stop, a second one end the drain's delay, and SIGHUP reload."""
        signals = cls(threading.Event(), threading.Event(), threading.Event())

        def on_stop(_: int, __: FrameType | None) -> None:
            (signals.hurry if signals.stop.is_set() else signals.stop).set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, on_stop)
        signal.signal(signal.SIGHUP, lambda *_: signals.reload.set())
        return signals


def run_service(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain; SIGHUP reads the policy again. Raises the typed errors of the start.

    A second SIGTERM or SIGINT ends the drain's delay.
    """
    share_heaps()
    configure_logs(settings)
    signals = Signals.installed()
    with Service(settings) as service:
        print(start_line(service), flush=True)
        serve_until(service, signals)
        service.drain(signals.hurry)


def configure_logs(settings: Settings) -> None:
    """Log to standard error from the level of the settings on."""
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def serve_until(service: Service, signals: Signals) -> None:
    """Serve until told to stop. The end of a thread that serving needs ends the process: a half cannot serve."""
    while not signals.stop.wait(_CHECK_EVERY_S):
        if signals.reload.is_set():
            signals.reload.clear()
            service.request_reload()
        if part := service.ended_part():
            _LOG.critical("the %s has ended unexpectedly; this process ends, restart it", part)
            sys.stderr.flush()
            # An orderly end could wait for ever for the part that is missing.
            os._exit(1)


def start_line(service: Service) -> str:
    """Return the line that says what is served, where, and on which store."""
    return (
        f"{serving_line(service)}, metrics on http://{service.metrics_address}/metrics{pages_part(service)}, "
        f"from {service.store.name}"
    )


def serving_line(service: Service) -> str:
    """Return the part of the start line that tells the version, the address and the gate."""
    return f"{PROGRAM} {build_version()} serves gRPC on {service.address} ({service.gate.name} gate)"


def pages_part(service: Service) -> str:
    """Return the part of the start line that tells where the pages are; empty without pages."""
    if not service.web_address:
        return ""
    return f", pages on {own_origin(service.web_address) or service.web_address}/choice"
