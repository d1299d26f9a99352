"""What requests show beside their decision is counted."""

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.gate.methods import DECIDE
from tests.server.decisions.worker_bench import Bench, request
from tests.targeting.signals.tcf.tcf_encoder import Tc


def test_signals_that_cannot_be_read_are_counted_by_kind() -> None:
    bench = Bench()
    signals = pb.PrivacySignals(tcf_consent="?", gpp="?", us_privacy="?", gdpr_applies=True, gpp_section_ids=[-1] * 99)
    bench.serve(bench.gate.put(DECIDE, request(signals=signals)))
    for signal in ("tcf", "gpp", "us_privacy", "request"):
        assert bench.count("adtargeting_signal_decode_errors_total", signal=signal) == 1


def test_newer_policies_are_counted_and_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    newer, older = (Tc(policy_version=version).text() for version in (6, 5))
    for text in (newer, older, newer):
        bench.serve(bench.gate.put(DECIDE, request(signals=pb.PrivacySignals(tcf_consent=text, gdpr_applies=True))))
    assert bench.count("adtargeting_tcf_newer_policies_total") == 2
    (warning,) = caplog.records
    assert "policy version 6" in warning.message
    assert newer not in warning.message
