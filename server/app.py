"""The composition root: opens the parts of the service in order, and closes them in the reverse order."""

import gc
import logging
import threading
from contextlib import ExitStack
from socket import socket

from server.calls.assembly import LaneThreads
from server.canaries.assembly import CanaryParts
from server.choices.assembly import ChoiceThreads
from server.decision_records.assembly import DecisionRecords
from server.decisions.sampling import EveryNth
from server.decisions.shadow import Shadow
from server.files.file_watch import FileWatch
from server.gate.assembly import make_gate
from server.gate.port import HEALTH_CHECKED, Gate
from server.geo.location_database import LocationDatabase, LocationSource
from server.health import StoreWatch
from server.http.metrics_endpoint import Probes, serve_metrics
from server.keys.assembly import nap_reader
from server.keys.secret_key import NETWORK_IDS
from server.metrics.metrics import Metrics
from server.opening import Opening
from server.policy.current_policy import CurrentPolicy
from server.policy.shadow_policy import ShadowPolicy
from server.security.audit_assembly import audit_denials, open_audit
from server.security.doors import open_doors
from server.security.exposure import check_exposure
from server.settings import Settings
from server.store.assembly import StoreAccess
from server.tracing.assembly import open_tracer
from server.vital_threads import VitalThreads
from server.web.assembly import open_pages
from server.web.inspect.admission import inspector_is_open
from server.web.visit import read_proxies

_LOG = logging.getLogger(__name__)
_TARGETING, *_WRITING = HEALTH_CHECKED[1:]


class Service(Opening):
    """The whole service: a context manager that is open while it serves."""

    def __init__(
        self, settings: Settings, *, locations: LocationSource | None = None, listener: socket | None = None
    ) -> None:
        """``locations`` replaces the country database; ``listener`` is that of a supervisor, which serves metrics."""
        self._settings = settings
        self._listener = listener
        self._given_locations = locations
        self._closing = ExitStack()
        self.metrics = Metrics()
        self.address = ""
        self.metrics_address = ""
        self.web_address = ""
        self._phase = "starting"
        """Why no call should be sent yet, or any more; empty while it serves."""

    def open(self) -> None:
        """Start everything. Raises the typed errors of the parts; what was started is then closed by ``close``."""
        settings, closing = self._settings, self._closing
        if self._listener is None:
            check_exposure(settings)
        self.doors = open_doors(settings)
        self.metrics.denials.count = self.doors.admission.denied
        self.metrics.certificates.ends_s = self.doors.certificate_ends_s
        self.locations = self._given_locations or LocationDatabase(settings.geo_db)
        self.metrics.country_table_age.set_function(self.locations.age_s)
        open_nap = nap_reader(settings.nap_keys, lambda: self.metrics.count_decode_error("nap"))
        self.store = StoreAccess(settings, closing)
        self.audit = open_audit(settings, self.metrics.count_audit_lost, closing)
        audit_denials(self.doors.admission, self.audit)
        self.rules = CurrentPolicy(settings.policy, self.store.key.derive(NETWORK_IDS), self.metrics)
        self.shadow_rules = ShadowPolicy(settings.policy_shadow, self.rules, self.metrics)
        self.store.on_circuit_change = self.metrics.circuit_open.set
        self.tracer = open_tracer(settings, closing)
        self.gate = self._open_gate()
        if self._listener is None:
            probes = Probes(live=self.ended_part, ready=self._not_ready)
            self.metrics_address = serve_metrics(
                settings.metrics_address, self.metrics.registry, probes, self.doors, closing
            )
        choices = ChoiceThreads(settings, self.store, self.rules, self.metrics, closing)
        shadow = Shadow(self.shadow_rules, self.metrics.shadow, EveryNth(settings.policy_shadow_one_in))
        self.records = DecisionRecords(settings, lambda: self.store.trust.epoch, self.metrics, closing)
        observers = [shadow, *self.records.observers]
        lanes = LaneThreads(
            settings,
            self.store,
            choices,
            self.rules,
            self.locations,
            open_nap,
            self.metrics,
            observers,
            self.audit,
            self.tracer,
        )
        lanes.start(self.gate, closing)
        closing.callback(_LOG.info, "drained, the gate is closed")
        closing.callback(self.gate.close, settings.drain_grace_s)
        if settings.canaries == "yes":
            CanaryParts(self.gate, self.store, self.rules, self.metrics).open(closing)
        if settings.web_address:
            self.web_address = open_pages(settings, self.doors, lanes.call_context, closing)
        self._watch_health()
        self._file_watch = FileWatch(self.reload, self.reload_changed)
        self._file_watch.start()
        closing.callback(self._file_watch.close)
        self._vital_threads = VitalThreads()
        # What is here now stays; the collector need not look at it again.
        gc.collect()
        gc.freeze()
        self._phase = ""

    def close(self) -> None:
        """Let calls under way end, and stop everything, the last opened first. May be called twice."""
        self._phase = "stopping"
        self._closing.close()

    def reload(self) -> None:
        """Read all files again; a file that cannot be used changes nothing. The audit log is opened again too."""
        self.audit.reopen()
        self.rules.reload()
        self.shadow_rules.reload()
        self.records.reopen()
        self.locations.reload()
        self.doors.reload()

    def reload_changed(self) -> None:
        """Read the files again that are taken when they change."""
        self.locations.reload_if_changed()
        self.doors.reload_if_changed()

    def request_reload(self) -> None:
        """Have the files read again, without waiting for it."""
        self._file_watch.request()

    @property
    def inspector_is_open(self) -> bool:
        """Whether the pages have an inspector that answers."""
        return bool(self.web_address) and inspector_is_open(self.doors.admission, read_proxies(self._settings))

    def ended_part(self) -> str:
        """Return the name of a part that serving needs and that has ended by itself; empty while all run, or start."""
        if self._phase:
            return ""
        return self._vital_threads.ended() if self.gate.is_alive() else "gate's event loop"

    def drain(self, hurry: threading.Event) -> None:
        """Report NOT_SERVING and go on serving, so that callers can leave, until the delay is over or ``hurry`` set."""
        self._phase = "draining"
        self._watch.close()
        for service in HEALTH_CHECKED:
            self.gate.set_health(service, serving=False)
        hurry.wait(self._settings.drain_delay_s)

    def _not_ready(self) -> str:
        return self._phase or self.ended_part()

    def _open_gate(self) -> Gate:
        gate = make_gate(self._settings, self.doors, self._listener)
        if self.tracer is not None:
            gate.trace_with(self.tracer)
        self.address = gate.open()
        # If the start fails later on; closing twice does nothing.
        self._closing.callback(gate.close, 0)
        self.metrics.watch_gate(gate)
        return gate

    def _watch_health(self) -> None:
        """Report decisions as served always, writes only while choices can be stored."""
        self.gate.set_health("", serving=True)
        self.gate.set_health(_TARGETING, serving=True)
        self._watch = StoreWatch(self.gate, _WRITING, self.store.probe, str(self.store.redis))
        self._watch.before_check, self._watch.refused = self.store.tend, self.store.refusals.problem
        self._watch.on_state = self.metrics.report_store
        self._watch.start()
        self._closing.callback(self._watch.close)
