"""The composition root: opens the parts of the service in order, and closes them in the reverse order."""

import gc
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from server.calls.assembly import LaneThreads
from server.choices.assembly import ChoiceThreads
from server.gate.assembly import make_gate
from server.gate.port import HEALTH_CHECKED, Gate
from server.geo.ip_location import IpLocator, open_locator
from server.health import StoreWatch
from server.keys.secret_key import NETWORK_IDS
from server.metrics.endpoint import serve_metrics
from server.metrics.metrics import Metrics
from server.policy.current_policy import CurrentPolicy
from server.settings import Settings
from server.store.assembly import StoreAccess
from targeting.signals.nap import Nap

_TARGETING, *_WRITING = HEALTH_CHECKED[1:]


class Service:
    """The whole service: a context manager that is open while it serves."""

    def __init__(self, settings: Settings, *, locator: IpLocator | None = None) -> None:
        """``locator`` stands in for the country database of the settings."""
        self._settings = settings
        self._given_locator = locator
        self._closing = ExitStack()
        self.metrics = Metrics()
        self.address = ""
        self.metrics_address = ""

    def __enter__(self) -> "Service":
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Start everything. Raises the typed errors of the parts; what was started is then closed by ``close``."""
        settings, closing = self._settings, self._closing
        locator = self._given_locator or open_locator(settings.geo_db)
        open_nap = self._nap_opener()
        self.store = StoreAccess(settings, closing)
        self.rules = CurrentPolicy(settings.policy, self.store.key.derive(NETWORK_IDS), self.metrics)
        self.store.on_circuit_change = self.metrics.circuit_open.set
        self.gate = self._open_gate()
        self.metrics_address = serve_metrics(settings.metrics_address, self.metrics.registry, closing)
        choices = ChoiceThreads(settings, self.store, self.rules, self.metrics, closing)
        lanes = LaneThreads(settings, self.store, choices, self.rules, locator, open_nap, self.metrics)
        lanes.start(self.gate, closing)
        closing.callback(self.gate.close, settings.drain_grace_s)
        self._watch_health()
        # What is here now stays; the collector need not look at it again.
        gc.collect()
        gc.freeze()

    def close(self) -> None:
        """Let calls under way end, and stop everything, the last opened first. May be called twice."""
        self._closing.close()

    def reload(self) -> None:
        """Read the policy again."""
        self.rules.reload()

    def drain(self, hurry: threading.Event) -> None:
        """Report NOT_SERVING and go on serving, so that callers can leave, until the delay is over or ``hurry`` set."""
        self._watch.close()
        for service in HEALTH_CHECKED:
            self.gate.set_health(service, serving=False)
        hurry.wait(self._settings.drain_delay_s)

    def _open_gate(self) -> Gate:
        gate = make_gate(self._settings)
        self.address = gate.open()
        # If the start fails later on; closing twice does nothing.
        self._closing.callback(gate.close, 0)
        self.metrics.inflight.set_function(gate.inflight)
        self.metrics.calls.count = gate.ended
        return gate

    def _nap_opener(self) -> Callable[[str], Nap | None]:
        if not self._settings.nap_keys:
            return _no_nap
        # The cipher's library takes several MiB, so it is loaded only where there are keys.
        from server.keys.nap import NapCipher, read_keys  # noqa: PLC0415  # as above

        return NapCipher(read_keys(Path(self._settings.nap_keys)), self._count_unread_nap).decrypt

    def _count_unread_nap(self) -> None:
        self.metrics.count_decode_error("nap")

    def _watch_health(self) -> None:
        """Report decisions as served always, writes only while choices can be stored."""
        self.gate.set_health("", serving=True)
        self.gate.set_health(_TARGETING, serving=True)
        self._watch = StoreWatch(self.gate, _WRITING, self.store.probe(), str(self.store.redis))
        self._watch.before_check, self._watch.refused = self.store.tend, self.store.refusals.problem
        self._watch.on_state = self.metrics.report_store
        self._watch.start()
        self._closing.callback(self._watch.close)


def _no_nap(_: str) -> Nap | None:
    """Without keys no NAP cookie can be read."""
    return None
