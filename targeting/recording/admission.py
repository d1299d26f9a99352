"""May something be recorded of a person? What limits a decision forbids it, and so does the TCF's purpose 3.

The judge's own verdict is used, so that no decision is limited for a reason for which a profile would still be
written. Only that nothing is known yet is no hindrance: somebody is always the first time here. This module reads no
profile.
"""

from collections.abc import Sequence

from targeting.age import latest_birth_day, person_day
from targeting.consent import PURPOSE_PROFILE_WRITE
from targeting.decision import PlannedRequest
from targeting.judge import judge_stored, read_stored_choices
from targeting.limited import residence
from targeting.model import LocaleInputs
from targeting.policy.policy import Policy
from targeting.reasons import Reason, Reasons
from targeting.records.stored_records import StoredRecords
from targeting.signals.nap import Nap


def forbidden_by_request(item: PlannedRequest, policy: Policy) -> Reasons:
    """Give the reasons for which the signals of an activity forbid to record it.

    IAB TCF Policies, Appendix A, purpose 3: "Create profiles for personalised advertising".
    """
    reasons = item.verdict.reasons
    if not item.verdict.consent.has_basis(PURPOSE_PROFILE_WRITE, policy.gdpr.host_vendor_id, policy):
        return Reasons(reasons | Reason.TCF_NO_CONSENT.bit)
    return reasons


def forbidden_by_records(
    records: Sequence[StoredRecords],
    policy: Policy,
    now_s: float,
    shown: LocaleInputs | None = None,
    naps: Sequence[Nap] = (),
) -> Reasons:
    """Give the reasons for which the stored records forbid to record anything.

    ``records`` are those of everyone the activity names, its own subject first; ``shown`` says where the person is,
    as far as the activity shows; ``naps`` are its NAP cookies.
    """
    standings = read_stored_choices(records)
    stored_country = next((each.country for each in standings if each and each.country), "")
    age = policy.children.age_in(residence((shown or LocaleInputs())._replace(stored_country=stored_country)))
    verdict = judge_stored(
        records,
        standings,
        latest_birth_day(person_day(now_s), age),
        nap_of_child=any(nap.age is not None and nap.age < age for nap in naps),
    )
    return Reasons(verdict.reasons & ~Reason.NO_PROFILE.bit)
