"""Whether an activity may be recorded: what limits a decision forbids it, and so does the TCF's purpose 3.

It uses the judge's own verdict, so that no reason limits decisions while profiles are still written. The one exception
is NO_PROFILE, which every person has at first. This module reads no profile.
"""

from collections.abc import Sequence

from targeting.age import person_day
from targeting.consent import PURPOSE_PROFILE_WRITE, SILENT
from targeting.decision import PlannedRequest, state
from targeting.judge import RequestVerdict, judge_stored, read_stored_choices
from targeting.model import AdRequest
from targeting.policy.policy import Policy
from targeting.reasons import NO_REASONS, Reason, Reasons
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import NO_COOKIES
from targeting.signals.nap import Nap

_CORRECTION = PlannedRequest(AdRequest(), NO_COOKIES, RequestVerdict(NO_REASONS, SILENT), ())
"""Stands for the request in a correction, which shows nothing about the person."""


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
    item: PlannedRequest | None = None,
    naps: Sequence[Nap] = (),
) -> Reasons:
    """Return the reasons for which the stored records forbid recording anything.

    ``records`` are those of all subjects that the activity names, its own subject first; ``item`` is
    what the activity shows, None for a correction; ``naps`` are its NAP cookies.
    """
    choices = read_stored_choices(records)
    verdict = judge_stored(records, choices, state(item or _CORRECTION, choices, naps, policy, person_day(now_s)))
    return Reasons(verdict.reasons & ~Reason.NO_PROFILE.bit)
