"""The process around the service: serve until a signal says stop."""

import logging
import signal
import threading
from types import FrameType

from server.app import Service
from server.build import PROGRAM, build_version
from server.memory import share_heaps
from server.settings import Settings
from server.web.assembly import own_origin


def run_service(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain; SIGHUP reads the policy again. Raises the typed errors of the start.

    A second SIGTERM or SIGINT ends the drain's delay.
    """
    share_heaps()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop, hurry, reload = threading.Event(), threading.Event(), threading.Event()

    def on_stop(_: int, __: FrameType | None) -> None:
        (hurry if stop.is_set() else stop).set()

    def on_reload(_: int, __: FrameType | None) -> None:
        reload.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_stop)
    signal.signal(signal.SIGHUP, on_reload)
    with Service(settings) as service:
        print(start_line(service), flush=True)
        while not stop.wait(0.2):
            if reload.is_set():
                reload.clear()
                service.request_reload()
        service.drain(hurry)


def start_line(service: Service) -> str:
    """Return the line that says what is served, where, and on which store."""
    pages = (
        f", pages on {own_origin(service.web_address) or service.web_address}/choice and /inspect"
        if service.web_address
        else ""
    )
    return (
        f"{PROGRAM} {build_version()} serves gRPC on {service.address} ({service.gate.name} gate), metrics on "
        f"http://{service.metrics_address}/metrics{pages}, from {service.store.name}"
    )
