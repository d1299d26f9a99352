"""The process around the service: serve until a signal says stop.

SIGTERM and SIGINT end the process at any moment, also while it starts.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Final, NoReturn

from server.app import Service
from server.build import PROGRAM, build_version
from server.errors import note
from server.lifecycle.process_signals import ProcessSignals, StopRequested
from server.logs import FloodFilter, configure_logs
from server.memory import share_heaps
from server.security.doors import Doors, protection
from server.security.exposure import is_unix
from server.settings import Settings
from server.web.assembly import own_origin
from server.web.inspect.admission import inspector_is_open
from server.web.visit import read_proxies

_LOG = logging.getLogger(__name__)
TICK_S: Final = 0.2


def run_service(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain; SIGHUP reads the files again. Raises the typed errors of the start.

    A second SIGTERM or SIGINT ends the drain's delay.
    """

    def serve(signals: ProcessSignals, floods: FloodFilter) -> None:
        with Service(settings) as service:
            signals.starting = False
            print(start_line(service), flush=True)
            log_start(service)
            serve_until_stopped(service, signals, floods)

    run_process(settings, serve)


def run_process(settings: Settings, serve: Callable[[ProcessSignals, FloodFilter], None]) -> None:
    """Call ``serve`` with the signals and the log of this process; a signal may end it at any moment."""
    signals, excepthook = ProcessSignals(), threading.excepthook
    threading.excepthook = log_ended_thread
    try:
        share_heaps()
        floods = configure_logs(settings.log_level, settings.log_format)
        serve(signals, floods)
        floods.report(at_once=True)
    except StopRequested:
        _LOG.info("%s received while starting", signals.name)
    finally:
        threading.excepthook = excepthook
    _LOG.info("stopped")


def serve_until_stopped(service: Service, signals: ProcessSignals, floods: FloodFilter) -> None:
    """Serve until told to stop, then drain. A process that has lost a part that serving needs ends at once."""
    while not signals.stop.wait(TICK_S):
        floods.report()
        if signals.reload.is_set():
            signals.reload.clear()
            _LOG.info("SIGHUP received, reloading")
            service.request_reload()
        if (part := service.ended_part()) and not signals.stop.is_set():
            end_process(part)
    _LOG.info("%s received, draining", signals.name)
    service.drain(signals.hurry)


def end_process(part: str) -> NoReturn:
    """End this process at once, because it has lost a part that serving needs."""
    _LOG.critical("the %s has ended unexpectedly; this process ends, restart it", part)
    sys.stderr.flush()
    # An orderly end could wait for ever for the part that is missing.
    os._exit(1)


def log_ended_thread(ended: threading.ExceptHookArgs) -> None:
    """Log by which exception a thread has ended; not its text, which may hold anything."""
    name = ended.thread.name if ended.thread is not None else "unknown"
    place = note(ended.exc_value) if isinstance(ended.exc_value, Exception) else ended.exc_type.__name__
    _LOG.critical("thread %s has ended by an exception, id %s", name, place)


def start_line(service: Service) -> str:
    """Return the line that says what is served, where, and on which store."""
    metrics = metrics_url(service.metrics_address, service.doors)
    return f"{serving_line(service)}, metrics on {metrics}{pages_part(service)}, from {service.store.name}"


def serving_line(service: Service) -> str:
    """Return the part of the start line that tells the version, the address and the gate."""
    how = f"{service.gate.name} gate, {protection(service.address, service.doors)}"
    return f"{PROGRAM} {build_version()} serves gRPC on {service.address} ({how})"


def metrics_url(address: str, doors: Doors) -> str:
    """Return where metrics are scraped: a URL, or the Unix socket and the path of the request."""
    if is_unix(address):
        return f"{address} (/metrics)"
    return f"{'https' if doors.tls_at(address) else 'http'}://{address}/metrics"


def pages_part(service: Service) -> str:
    """Return the part of the start line that tells where the pages are; empty without pages."""
    if not service.web_address:
        return ""
    is_open = inspector_is_open(service.doors.admission, read_proxies(service.settings))
    inspector = " and /inspect" if is_open else ""
    if origin := own_origin(service.web_address, service.doors):
        return f", pages on {origin}/choice{inspector}"
    return f", pages on {service.web_address} (/choice{inspector})"


def log_start(service: Service) -> None:
    """Log everything that identifies this run, in one line."""
    fields = {
        "version": build_version(),
        "gate": service.gate.name,
        "store": str(service.store.redis),
        "policy_version": service.rules().policy.version,
        "key_fingerprint": service.store.key.fingerprint,
        "listeners": ", ".join(listeners(service)),
    }
    text = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in fields.items())
    _LOG.info("started: %s", text, extra={"fields": fields})


def listeners(service: Service) -> list[str]:
    """Return every address that is listened on, and how it is protected."""
    addresses = {"gRPC": service.address, "metrics": service.metrics_address, "pages": service.web_address}
    return [
        f"{name} {address} ({protection(address, service.doors)})" for name, address in addresses.items() if address
    ]
