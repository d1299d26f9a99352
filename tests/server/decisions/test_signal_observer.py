"""What requests show beside their decision is counted."""

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.gate.methods import DECIDE
from tests.server.decisions.worker_bench import Bench, request
from tests.targeting.signals.gpp.gpp_encoder import gpp
from tests.targeting.signals.tcf.tcf_encoder import BitField, Restriction, Tc, Vendors


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


@pytest.mark.fault(row=15)
def test_strings_that_are_given_up_are_counted_apart() -> None:
    bench = Bench()
    too_many = Tc(restrictions=(Restriction(2, 0, ((1, None),)),) * 129).text()
    too_long = gpp({7: "B" + "A" * 600})
    signals = pb.PrivacySignals(tcf_consent=too_many, gdpr_applies=True, gpp=too_long, gpp_section_ids=[7])
    bench.serve(bench.gate.put(DECIDE, request(signals=signals)))
    bench.serve(bench.gate.put(DECIDE, request(signals=pb.PrivacySignals(tcf_consent="?", gdpr_applies=True))))
    assert bench.count("adtargeting_consent_given_up_total") == 2
    assert bench.count("adtargeting_signal_decode_errors_total", signal="tcf") == 2


def test_strings_without_disclosed_vendors_are_counted_by_age() -> None:
    bench = Bench()
    old, new = Tc(last_updated=17_723_231_999), Tc(last_updated=17_723_232_000)
    disclosing = Tc(last_updated=17_723_232_000, others=(Vendors(BitField(frozenset({1}), 1)),))
    for string in (old, new, new, disclosing):
        signals = pb.PrivacySignals(tcf_consent=string.text(), gdpr_applies=True)
        bench.serve(bench.gate.put(DECIDE, request(signals=signals)))
    assert bench.count("adtargeting_tcf_undisclosed_total", age="before_2026_03") == 1
    assert bench.count("adtargeting_tcf_undisclosed_total", age="since_2026_03") == 2
