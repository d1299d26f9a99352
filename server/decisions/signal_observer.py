"""What requests show beside their decision: signals that last, signals that cannot be read, newer policies."""

import logging
from collections.abc import Callable

from server.choices.signal_opt_outs import ignore_signal_opt_out
from server.metrics.consent_counts import StringAge
from server.metrics.metrics import Metrics
from targeting.decision import PlannedRequest
from targeting.model import AdRequest
from targeting.reasons import Reason
from targeting.recording.signal_opt_outs import LASTING_REASONS
from targeting.signals.cookies import Cookies
from targeting.signals.tcf.read import KNOWN_POLICY_VERSION

_LOG = logging.getLogger(__name__)
_UNREADABLE = Reason.SIGNAL_UNREADABLE.bit


class SignalObserver:
    """Counts what could not be read, and hands on what may have to be stored; most requests cost two comparisons."""

    def __init__(
        self, metrics: Metrics, on_signal_opt_out: Callable[[AdRequest, Cookies], None] = ignore_signal_opt_out
    ) -> None:
        self._metrics = metrics
        self._on_signal_opt_out = on_signal_opt_out
        self._newer_policies: set[int] = set()

    def observe(self, item: PlannedRequest) -> None:
        """Take note of what one request shows."""
        reasons, consent = item.verdict.reasons, item.verdict.consent
        for string in consent.tc_strings:
            if string.policy_is_newer:
                self._count_policy(string.policy_version)
            if not string.has_disclosed_vendors:
                age = StringAge.SINCE_2026_03 if string.must_disclose else StringAge.BEFORE_2026_03
                self._metrics.consent.count_undisclosed(age)
        if reasons & LASTING_REASONS and not item.request.is_dry_run:
            self._on_signal_opt_out(item.request, item.cookies)
        if reasons & _UNREADABLE:
            for signal in (*consent.unreadable, *(["request"] if item.request.signals.unreadable else [])):
                self._metrics.count_decode_error(signal)
            self._metrics.consent.count_given_up(len(consent.given_up))

    def _count_policy(self, version: int) -> None:
        self._metrics.count_newer_policy()
        if version not in self._newer_policies:
            self._newer_policies.add(version)
            _LOG.warning(
                "TC strings of policy version %d are in use, which this release does not know; they are read as "
                "version %d; look for a newer release",
                version,
                KNOWN_POLICY_VERSION,
            )
