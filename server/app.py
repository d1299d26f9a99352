"""The composition root: opens the parts of the service in order, and closes them in the reverse order."""

import gc
import logging
import threading
from contextlib import ExitStack
from socket import socket

from server.calls.assembly import LaneThreads
from server.canaries.assembly import CanaryParts
from server.choices.assembly import ChoiceThreads
from server.files.file_watch import FileWatch
from server.gate.assembly import make_gate
from server.gate.port import HEALTH_CHECKED
from server.geo.location_database import LocationSource
from server.http.metrics_endpoint import Probes, serve_metrics
from server.lifecycle.health import watch_store
from server.lifecycle.opening import Opening
from server.lifecycle.readiness import Readiness, thread_names
from server.lifecycle.vital_threads import VitalThreads
from server.metrics.metrics import Metrics
from server.parts import Parts
from server.security.exposure import check_exposure
from server.settings import Settings
from server.web.assembly import open_pages

_LOG = logging.getLogger(__name__)


class Service(Opening):
    """The whole service: a context manager that is open while it serves."""

    def __init__(
        self, settings: Settings, *, locations: LocationSource | None = None, listener: socket | None = None
    ) -> None:
        """``locations`` replaces the country database; ``listener`` is that of a supervisor, which serves metrics."""
        self.settings = settings
        self._listener = listener
        self._given_locations = locations
        self._closing = ExitStack()
        self.metrics = Metrics()
        self.address = ""
        self.metrics_address = ""
        self.web_address = ""
        self._readiness = Readiness()

    def open(self) -> None:
        """Start everything. Raises the typed errors of the parts; what was started is then closed by ``close``."""
        if self._listener is None:
            check_exposure(self.settings)
        self._parts = parts = Parts(self.settings, self.metrics, self._given_locations, self._closing)
        self.doors, self.store, self.rules = parts.doors, parts.store, parts.rules
        self._open_ports()
        self._serve_calls()
        self._watch = watch_store(self.gate, self.store, self.metrics, self._closing)
        self._file_watch = FileWatch(parts.reload, parts.reload_changed)
        self._file_watch.start()
        self._closing.callback(self._file_watch.close)
        # What is here now stays; the collector need not look at it again.
        gc.collect()
        gc.freeze()
        names = thread_names(self.settings, serves_metrics=self._listener is None)
        self._readiness.serve(self.gate, VitalThreads(names))

    def _open_ports(self) -> None:
        settings, closing = self.settings, self._closing
        self.gate = make_gate(settings, self.doors, self._listener)
        if self._parts.tracer is not None:
            self.gate.trace_with(self._parts.tracer)
        self.address = self.gate.open()
        # If the start fails later on; closing twice does nothing.
        closing.callback(self.gate.close, 0)
        self.metrics.watch_gate(self.gate)
        if self._listener is None:
            probes = Probes(live=self.ended_part, ready=self._readiness.lacking)
            self.metrics_address = serve_metrics(
                settings.metrics_address, self.metrics.registry, probes, self.doors, closing
            )

    def _serve_calls(self) -> None:
        settings, parts, closing = self.settings, self._parts, self._closing
        lanes = LaneThreads(
            settings=settings,
            store=self.store,
            choices=ChoiceThreads(settings, self.store, self.rules, self.metrics, closing),
            rules=self.rules,
            locator=parts.locations,
            open_nap=parts.open_nap,
            metrics=self.metrics,
            observers=parts.observers,
            audit=parts.audit,
            tracer=parts.tracer,
        )
        lanes.start(self.gate, closing)
        closing.callback(_LOG.info, "drained, the gate is closed")
        closing.callback(self.gate.close, settings.drain_grace_s)
        if settings.canaries == "yes":
            CanaryParts(self.gate, self.store, self.rules, self.metrics).open(closing)
        if settings.web_address:
            self.web_address = open_pages(settings, self.doors, lanes.call_context, closing)

    def close(self) -> None:
        """Let calls under way end, and stop everything, the last opened first. May be called twice."""
        self._readiness.enter("stopping")
        self._closing.close()

    def reload(self) -> None:
        """Read all files again, and wait for it; see ``Parts.reload``."""
        self._parts.reload()

    def request_reload(self) -> None:
        """Have the files read again, without waiting for it."""
        self._file_watch.request()

    def watch_thread(self, thread: threading.Thread) -> None:
        """Serve only as long as a thread runs that was started beside the service."""
        self._readiness.watch_too(thread)

    def ended_part(self) -> str:
        """Return the names of parts that serving needs and that have ended; empty while all run, or start, or stop."""
        return self._readiness.ended_part()

    def drain(self, hurry: threading.Event) -> None:
        """Report NOT_SERVING and go on serving, so that callers can leave, until the delay is over or ``hurry`` set."""
        self._readiness.enter("draining")
        self._watch.close()
        for service in HEALTH_CHECKED:
            self.gate.set_health(service, serving=False)
        hurry.wait(self.settings.drain_delay_s)
