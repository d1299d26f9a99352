"""What differs between two verdicts, by the keys of the policy."""

import pytest

from targeting.policy.directions import Effect
from targeting.reasons import NO_REASONS, Reason, Reasons, reasons_of
from targeting.rejudging.answers import NetworkAnswers
from targeting.rejudging.changes import Change, changes_between
from targeting.rejudging.verdict import OtherVerdict

LOOSENS, TIGHTENS = Effect.LOOSENS, Effect.TIGHTENS
WITHHELD = reasons_of(Reason.NETWORK_POLICY)
FULL = NetworkAnswers("acme", listed=True, contact=True, fields=("gender",), user_id=True, ipv4_bits=24, ipv6_bits=56)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((), (), []),
        ((Reason.UNDER_AGE,), (), [("children", LOOSENS)]),
        ((), (Reason.DO_NOT_TRACK,), [("signals.honour_do_not_track", TIGHTENS)]),
        (
            (Reason.TCF_NO_CONSENT, Reason.SIGNAL_UNREADABLE),
            (),
            [("gdpr", LOOSENS), ("gdpr", LOOSENS)],
        ),
        ((Reason.OPT_IN_REQUIRED,), (), [("consent.explicit_opt_in_in", LOOSENS)]),
        ((Reason.UNDER_AGE,), (Reason.DO_NOT_TRACK,), []),
        ((Reason.ACCOUNT_OPT_OUT,), (), [("reasons.account_opt_out", LOOSENS)]),
    ],
    ids=["same", "age", "do not track", "TC string", "opt-in", "still restricted", "by no key"],
)
def test_a_decision_changes_where_only_one_policy_restricts_it(
    before: tuple[Reason, ...], after: tuple[Reason, ...], expected: list[tuple[str, Effect]]
) -> None:
    changes = changes_between(OtherVerdict(reasons_of(*before)), OtherVerdict(reasons_of(*after)))
    assert [(change.name, change.effect) for change in changes] == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (FULL, FULL, []),
        (
            FULL,
            FULL._replace(contact=False, reasons=WITHHELD),
            [Change("networks.acme.contact", TIGHTENS, Reason.NETWORK_POLICY, "acme")],
        ),
        (
            FULL._replace(fields=(), reasons=reasons_of(Reason.TCF_NO_CONSENT)),
            FULL,
            [Change("networks.acme.fields", LOOSENS, Reason.TCF_NO_CONSENT, "acme")],
        ),
        (
            FULL,
            FULL._replace(fields=("country",)),
            [
                Change("networks.acme.fields", LOOSENS, Reason.NETWORK_POLICY, "acme"),
                Change("networks.acme.fields", TIGHTENS, Reason.NETWORK_POLICY, "acme"),
            ],
        ),
        (FULL._replace(fields=("gender", "country")), FULL._replace(fields=("country", "gender")), []),
        (
            FULL,
            FULL._replace(precise_position="coarse", ipv4_bits=16),
            [
                Change("networks.acme.precise_position", LOOSENS, Reason.NETWORK_POLICY, "acme"),
                Change("networks.acme.ipv4_bits", TIGHTENS, Reason.NETWORK_POLICY, "acme"),
            ],
        ),
    ],
    ids=["same", "no contact", "consent", "other fields", "another order", "position and address"],
)
def test_a_network_changes_part_by_part(before: NetworkAnswers, after: NetworkAnswers, expected: list[Change]) -> None:
    assert (
        changes_between(OtherVerdict(NO_REASONS, networks=(before,)), OtherVerdict(NO_REASONS, networks=(after,)))
        == expected
    )


def test_a_loosening_may_depend_on_records_that_were_not_asked_for() -> None:
    before, after = OtherVerdict(Reasons(Reason.UNDER_AGE.bit)), OtherVerdict(NO_REASONS, asks_store=True)
    assert changes_between(before, after) == [Change("children", LOOSENS, Reason.UNDER_AGE, asks_store=True)]
