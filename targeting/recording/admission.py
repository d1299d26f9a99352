"""Whether an activity may be recorded: what limits a decision forbids it, and so does the TCF's purpose 3.

It uses the judge's own verdict, so that no reason limits decisions while profiles are still written. The one exception
is NO_PROFILE, which every person has at first. This module reads no profile.
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
    """Return the reasons for which the signals of an activity forbid recording it.

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
    """Return the reasons for which the stored records forbid recording anything.

    ``records`` are those of all subjects that the activity names, its own subject first; ``shown`` is the locale that
    the activity shows; ``naps`` are its NAP cookies.
    """
    choices = read_stored_choices(records)
    stored_country = next((choice.country for choice in choices if choice and choice.country), "")
    age = policy.children.age_in(residence((shown or LocaleInputs())._replace(stored_country=stored_country)))
    verdict = judge_stored(
        records,
        choices,
        latest_birth_day(person_day(now_s), age),
        nap_of_child=any(nap.age is not None and nap.age < age for nap in naps),
    )
    return Reasons(verdict.reasons & ~Reason.NO_PROFILE.bit)
