"""What ``Explain`` says of consent strings: whether each gives a basis, and what of it cannot be read."""

import pytest

from targeting.decision import Rulebook, decide, plan
from targeting.explanation.checks import Check, DecisionTrace
from targeting.explanation.explain import explain
from targeting.model import AdRequest, AgeTreatment, Signals
from targeting.policy.policy import policy_from
from targeting.reasons import Reason, reasons_in
from tests.targeting.signals.gpp.gpp_encoder import gpp
from tests.targeting.signals.strings import STRINGS, VENDOR

NOW_S = 1_800_000_000.0
POLICY = policy_from({"gdpr": {"host_vendor_id": VENDOR}})


def traced(signals: Signals) -> DecisionTrace:
    planned = plan([AdRequest(signals=signals)], POLICY, NOW_S)
    (decision,) = decide(planned, Reason.STORE_UNAVAILABLE, [()], Rulebook(POLICY), NOW_S)
    return DecisionTrace(planned.items[0], Reason.STORE_UNAVAILABLE, decision, POLICY, NOW_S)


def check_of(signal: str, signals: Signals) -> Check:
    """Return the first check of a signal."""
    return next(check for check in explain(traced(signals)) if check.signal == signal)


@pytest.mark.parametrize(
    ("string", "basis", "said", "reason"),
    [
        ("tcf-consent", "yes", "gives a basis", None),
        ("tcf-refusal", "no", "gives no basis", Reason.TCF_NO_CONSENT),
        ("tcf-global-scope", "no", "gives no basis", Reason.TCF_NO_CONSENT),
    ],
)
def test_a_tc_string_gives_a_basis_or_none(string: str, basis: str, said: str, reason: Reason | None) -> None:
    found = check_of("TC string", Signals(gdpr_applies=True, tcf_consent=STRINGS[string]))
    assert (dict(found.fields)["Purpose4Basis"], found.said, found.reason) == (basis, said, reason)


def test_outside_the_gdpr_a_tc_string_does_not_count() -> None:
    found = check_of("TC string", Signals(gdpr_applies=False, tcf_consent=STRINGS["tcf-refusal"]))
    assert (found.present, found.said, found.reason, found.fields) == (True, "does not count", None, ())


def test_the_sections_of_a_gpp_string_that_cannot_be_read_are_named() -> None:
    text = gpp({7: STRINGS["usnat-sale-opt-out"].split("~")[1], 8: "?"})
    found = check_of("GPP string", Signals(gdpr_applies=False, gpp=text, gpp_section_ids=(7, 8, 9)))
    assert (found.said, found.reason) == ("limits", Reason.SIGNAL_UNREADABLE)
    assert dict(found.fields) == {
        "section 8": "missing or unreadable",
        "section 9": "missing or unreadable",
        "section 7 SaleOptOut": "1",
    }


@pytest.mark.parametrize("signal", ["TC string", "US Privacy string"])
def test_a_string_that_cannot_be_read_limits(signal: str) -> None:
    found = check_of(signal, Signals(gdpr_applies=True, tcf_consent="?", us_privacy="?"))
    assert (found.present, found.value_class, found.reason) == (True, "unreadable", Reason.SIGNAL_UNREADABLE)


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        (Signals(gdpr_applies=True, tcf_consent="?"), {Reason.SIGNAL_UNREADABLE, Reason.TCF_NO_CONSENT}),
        (
            Signals(
                gdpr_applies=False,
                gpp=gpp({7: STRINGS["usnat-sale-opt-out"].split("~")[1], 8: "?"}),
                gpp_section_ids=(7, 8),
            ),
            {Reason.SIGNAL_UNREADABLE, Reason.GPP_OPT_OUT},
        ),
        (
            Signals(gdpr_applies=False, us_privacy="?", more_us_privacies=("1YYN",)),
            {Reason.SIGNAL_UNREADABLE, Reason.US_PRIVACY_OPT_OUT},
        ),
        (
            Signals(gdpr_applies=False, age_treatment=AgeTreatment.CHILD, latest_birth_day=20_000),
            {Reason.CHILD_DIRECTED, Reason.UNDER_AGE},
        ),
    ],
    ids=["TC string", "GPP string", "US Privacy string", "stated age"],
)
def test_every_reason_has_a_check_of_its_own(signals: Signals, expected: set[Reason]) -> None:
    trace = traced(signals)
    assert expected == set(reasons_in(trace.item.verdict.reasons))
    assert expected <= {check.reason for check in explain(trace)}
