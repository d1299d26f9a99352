"""A request with everything that it was decided from, rebuilt from its record, for the judge to judge again.

Where something is not recorded, a request is rebuilt in two ways: as the strictest that it may have been, and as the
most lenient. Where another policy decides both alike, the record was enough; where not, it was not.
"""

from typing import Final

from targeting.consent import RequestConsent, in_gdpr_scope
from targeting.decision import PlannedRequest, limited_answer
from targeting.decision_records.ages import birth_day_of, years_of
from targeting.decision_records.form import DecisionRecord, SubjectFacts
from targeting.decision_records.recorded_consent import AnyConsent, RecordedTcString, Unknowns
from targeting.judge import RequestVerdict, read_stored_choices
from targeting.model import AdRequest, AgeTreatment, Identity, Signals, SubjectKind
from targeting.places.geo import IpLocation
from targeting.policy.policy import Policy
from targeting.reasons import NO_REASONS, Reason, Reasons, reasons_of
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.stored_records import StoredRecords
from targeting.rejudging.verdict import NO_RESTRICTION, DecidedRequest
from targeting.signals.cookies import Cookies
from targeting.signals.gpp.read import ForwardedSection, GppReading, Withholds
from targeting.signals.gpp.string import HEADER
from targeting.signals.nap import Nap

_ID: Final = "recorded"
_OWNER: Final = bytes(16)
_UNREADABLE: Final = b"?"
_CHOICES: Final = {"none": Choice.NONE, "opted_out": Choice.OPT_OUT, "opted_in": Choice.OPT_IN}
_KINDS: Final = {"account": SubjectKind.ACCOUNT, "device": SubjectKind.DEVICE}
_UNKNOWN_TREATMENT: Final = -1


class RebuiltRequest:
    """One record, rebuilt as the most lenient or the strictest request that it may stand for."""

    def __init__(self, record: DecisionRecord, *, lenient: bool) -> None:
        """Raise ``KeyError`` for a reason that this version does not know."""
        self._record = record
        self._lenient = lenient
        self.unknowns: Unknowns = set()
        """What the judge asked for and is not recorded, in words; grows as it is judged."""
        reasons = reasons_of(*(Reason[name] for name in record.reasons))
        asked = NO_REASONS if record.store != "not_asked" else Reasons(reasons & ~NO_RESTRICTION)
        item = PlannedRequest(_request(record, lenient), _cookies(record), RequestVerdict(asked, self._consent()), ())
        stored = _stored(record, lenient)
        choices = () if isinstance(stored, Reason) else read_stored_choices(stored)
        age = record.request.nap_age
        naps = () if age is None else (Nap(age=years_of(age, oldest=lenient)),)
        self.decided = DecidedRequest(item, stored, naps, limited_answer(item, choices), reasons)

    def reread(self, item: PlannedRequest, policy: Policy) -> RequestConsent:
        """Return what the recorded consent strings say under another policy."""
        consent = item.verdict.consent
        applies = in_gdpr_scope(item.request, item.cookies.countries, policy)
        if not applies:
            return (consent.outside_the_gdpr() if consent.gdpr else consent).under(policy)
        if not consent.gdpr:
            # Outside the GDPR's scope TC strings were not read.
            strings = (AnyConsent(self.unknowns),) if self._lenient else ()
            consent = consent._replace(gdpr=True, tc_strings=strings, may_grant=self._lenient)
        return consent.under(policy)

    def _consent(self) -> RequestConsent:
        facts = self._record.consent
        reasons = int(Reason.SIGNAL_UNREADABLE.bit) if facts.unreadable else 0
        if facts.us_privacy_opt_out:
            reasons |= Reason.US_PRIVACY_OPT_OUT.bit
        if facts.withholds & Withholds.PROFILE_AND_IDS:
            reasons |= Reason.GPP_OPT_OUT.bit
        return RequestConsent(
            reasons=Reasons(reasons),
            gdpr=facts.in_gdpr_scope,
            tc_strings=tuple(
                [RecordedTcString(string, facts, self.unknowns, lenient=self._lenient) for string in facts.tc_strings]
            ),
            may_grant=facts.may_grant,
            gpp=_gpp(self._record) if facts.has_gpp else None,
            unreadable=facts.unreadable,
        )


def _gpp(record: DecisionRecord) -> GppReading:
    facts = record.consent
    unreadable = (HEADER,) if "gpp" in facts.unreadable else ()
    sections = {section_id: ForwardedSection("") for section_id in facts.sections}
    return GppReading(Withholds(facts.withholds), unreadable, sections)


def _request(record: DecisionRecord, lenient: bool) -> AdRequest:  # noqa: FBT001  # private
    facts, places = record.request, record.places
    return AdRequest(
        identity=Identity(
            account_id=_ID if facts.account else "",
            linked_account_ids=(_ID,) if facts.others else (),
            device_id=_ID if facts.device else "",
        ),
        ip_location=IpLocation(places.ip, places.ip_subdivision),
        client_country=places.client,
        in_app="app" in facts.flags,
        signals=_signals(record, lenient),
        networks=tuple([network.id for network in record.networks]),
        shown_countries=places.shown,
        shown_subdivisions=places.shown_subdivisions,
    )


def _signals(record: DecisionRecord, lenient: bool) -> Signals:  # noqa: FBT001  # private
    facts, flags = record.request, set(record.request.flags)
    known = facts.age_treatment != "UNKNOWN"
    return Signals(
        child_directed="child_directed" in flags,
        targeted_ads_off="targeted_ads_off" in flags,
        global_privacy_control="global_privacy_control" in flags,
        do_not_track="do_not_track" in flags,
        limit_ad_tracking="limit_ad_tracking" in flags,
        industry_opt_outs=(1,) if "industry_opt_out" in flags else (),
        gdpr_applies=record.consent.gdpr_flag,
        gpp_section_ids=record.consent.named_sections,
        age_treatment=AgeTreatment[facts.age_treatment] if known else _UNKNOWN_TREATMENT,
        unreadable=(_ID,) if "unreadable" in flags else (),
        latest_birth_day=None if facts.stated_age is None else birth_day_of(facts.stated_age, oldest=lenient),
    )


def _cookies(record: DecisionRecord) -> Cookies:
    flags = record.request.flags
    return Cookies(
        device_doubt="muid_in_doubt" in flags, opt_out="cookie_opt_out" in flags, countries=record.places.cookies
    )


def _stored(record: DecisionRecord, lenient: bool) -> tuple[StoredRecords, ...] | Reason:  # noqa: FBT001  # private
    if record.store not in {"asked", "not_asked"}:
        return Reason[record.store]
    return tuple([_records(subject, lenient) for subject in record.subjects])


def _records(subject: SubjectFacts, lenient: bool) -> StoredRecords:  # noqa: FBT001  # private
    kind = _KINDS[subject.kind]
    if subject.choice == "lost":
        return StoredRecords(kind, _OWNER, None, _UNREADABLE)
    if subject.choice not in _CHOICES:
        return StoredRecords(kind, _OWNER, None if subject.choice == "absent" else _UNREADABLE)
    preference = Preference(
        choice=_CHOICES[subject.choice],
        country=subject.country,
        birth_day=None if subject.age is None else birth_day_of(subject.age, oldest=lenient),
    )
    return StoredRecords(kind, _OWNER, encode_preference(preference, _OWNER))
