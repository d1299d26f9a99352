"""The parts of the service that come before its ports: doors, store, audit log, policies, records and traces.

Invariant: a reload of a file that cannot be used changes nothing. Knows nothing of the gate and of calls.
"""

from contextlib import ExitStack

from server.decision_records.assembly import DecisionRecords
from server.decisions.containment import BatchObserver
from server.decisions.sampling import EveryNth
from server.decisions.shadow import Shadow
from server.geo.location_database import LocationDatabase, LocationSource
from server.keys.assembly import nap_reader
from server.keys.secret_key import NETWORK_IDS
from server.metrics.metrics import Metrics
from server.policy.current_policy import CurrentPolicy, read_policy
from server.policy.shadow_policy import ShadowPolicy
from server.security.audit_assembly import audit_denials, open_audit
from server.security.doors import open_doors
from server.settings import Settings
from server.store.assembly import StoreAccess
from server.tracing.assembly import open_tracer


class Parts:
    """Open from their making until ``closing`` closes."""

    def __init__(
        self, settings: Settings, metrics: Metrics, locations: LocationSource | None, closing: ExitStack
    ) -> None:
        """``locations`` replaces the country database. Raises the typed errors of the parts."""
        self.doors = open_doors(settings)
        metrics.denials.count = self.doors.admission.denied
        metrics.certificates.ends_s = self.doors.certificate_ends_s
        self.locations = locations or LocationDatabase(settings.geo_db)
        metrics.country_table_age.set_function(self.locations.age_s)
        # Before the store: beside a running service, whose store it would be, a new policy can be tried.
        policy = read_policy(settings.policy)
        self.store = StoreAccess(settings, closing)
        self.store.on_circuit_change = metrics.circuit_open.set
        self.audit = open_audit(settings, metrics.count_audit_lost, closing)
        audit_denials(self.doors.admission, self.audit)
        self.rules = CurrentPolicy(settings.policy, policy, self.store.key.derive(NETWORK_IDS), metrics)
        self.shadow_rules = ShadowPolicy(settings.policy_shadow, self.rules, metrics)
        self.records = DecisionRecords(settings, lambda: self.store.trust.epoch, metrics, closing)
        shadow = Shadow(self.shadow_rules, metrics.shadow, EveryNth(settings.policy_shadow_one_in))
        self.observers: list[BatchObserver] = [shadow, *self.records.observers]
        """Each is shown every batch of decisions."""
        self.open_nap = nap_reader(settings.nap_keys, lambda: metrics.count_decode_error("nap"))
        self.tracer = open_tracer(settings, closing)

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
