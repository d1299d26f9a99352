"""What an engineer asks: an ad request from the form's fields, or one that was pasted.

Invariant: nothing of it is kept, logged or put into a URL.
"""

import json
import re
import tomllib
from dataclasses import replace
from typing import Final, NamedTuple

from adtargeting.v1 import targeting_pb2 as pb
from google.protobuf.json_format import ParseDict, ParseError

from server.decisions.bid_requests import read_call
from server.errors import InvalidRequest
from server.geo.ip_location import IpLocator
from server.messages.enums import enum
from server.messages.translate import ad_request
from server.policy.toml import parse_toml
from server.web.forms import Form
from targeting.decision_records.explanation import ExplainedRecord, read_record
from targeting.decision_records.lines import LineUnreadable
from targeting.model import AdRequest, AgeTreatment
from targeting.openrtb.bid_request import BidRequest
from targeting.policy.policy import Policy, PolicyError, policy_from

MAX_QUESTION_BYTES: Final = 900 * 1024
"""A bid request has at most 256 KiB, and a form writes most of its characters as three."""

_SEPARATORS: Final = re.compile(r"[\s,]+")
_NUMBER: Final = re.compile(r"-?[0-9]{1,4}")
_RECORDS: Final = ("decision", "policy")
_GDPR: Final = {"yes": True, "no": False}
_AGES: Final = {"child": AgeTreatment.CHILD, "teen": AgeTreatment.TEEN, "adult": AgeTreatment.ADULT}


class Question(NamedTuple):
    """The request to explain, its bid request if there is one, and a policy to compare with."""

    request: AdRequest
    bid_request: BidRequest | None = None
    bid_request_json: dict[str, object] | None = None
    other_policy: Policy | None = None

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return "Question()"


def read_question(form: Form, locator: IpLocator, policy: Policy) -> Question:
    """Read the form. Raises ``InvalidRequest``, which names the field and no value."""
    other = _other_policy(form.get("other_policy", ""), policy)
    pasted = form.get("pasted", "").strip()
    if not pasted:
        return Question(ad_request(_from_fields(form), locator), other_policy=other)
    document = _json(pasted)
    if "imp" not in document:
        return Question(ad_request(_from_document(document, form), locator), other_policy=other)
    call = pb.PrepareBidRequestRequest(
        bid_request=pasted.encode(),
        account_id=form.get("account_id", ""),
        linked_account_ids=_words(form, "linked_account_ids"),
        device_id=form.get("device_id", ""),
        third_party_networks=_words(form, "networks"),
    )
    request, bid_request = read_call(call.SerializeToString(), locator)
    return Question(request, bid_request, document, other)


def read_recorded(form: Form, policy: Policy) -> ExplainedRecord | None:
    """Read a pasted decision record; None where something else was pasted, or nothing. Raises ``InvalidRequest``."""
    pasted = form.get("pasted", "").strip()
    if not pasted or _json(pasted).get("kind") not in _RECORDS:
        return None
    try:
        return read_record(pasted, _other_policy(form.get("other_policy", ""), policy))
    except LineUnreadable as problem:
        raise InvalidRequest("pasted", str(problem)) from None


def is_compared(form: Form) -> bool:
    """Return whether the form has another policy to compare with."""
    return bool(form.get("other_policy", "").strip())


def _from_fields(form: Form) -> pb.DecideRequest:
    signals = pb.PrivacySignals(
        child_directed=form.get("child_directed") == "yes",
        global_privacy_control=form.get("global_privacy_control") == "yes",
        do_not_track=form.get("do_not_track") == "yes",
        limit_ad_tracking=form.get("limit_ad_tracking") == "yes",
        age_treatment=enum(_AGES.get(form.get("age_treatment", ""), 0)),
        tcf_consent=form.get("tcf_consent", "").strip(),
        gpp=form.get("gpp", "").strip(),
        gpp_section_ids=_numbers(form, "gpp_section_ids"),
        us_privacy=form.get("us_privacy", "").strip(),
        industry_opt_outs=[enum(1)] if form.get("industry_opt_out") == "yes" else [],
    )
    gdpr = _GDPR.get(form.get("gdpr_applies", ""))
    if gdpr is not None:
        signals.gdpr_applies = gdpr
    return pb.DecideRequest(
        account_id=form.get("account_id", "").strip(),
        linked_account_ids=_words(form, "linked_account_ids"),
        device_id=form.get("device_id", "").strip(),
        ip=form.get("ip", "").strip(),
        accept_language=form.get("accept_language", ""),
        cookie_header=form.get("cookie_header", "").strip(),
        client=pb.ClientSettings(
            country=form.get("country", "").strip(), targeted_ads_off=form.get("targeted_ads_off") == "yes"
        ),
        signals=signals,
        third_party_networks=_words(form, "networks"),
    )


def _from_document(document: dict[str, object], form: Form) -> pb.DecideRequest:
    """Read an ad request as JSON; networks of the form are added where it names none."""
    try:
        request = ParseDict(document, pb.DecideRequest())
    except ParseError:
        raise InvalidRequest("pasted", "is neither an OpenRTB bid request nor a DecideRequest as JSON") from None
    if not request.third_party_networks:
        request.third_party_networks.extend(_words(form, "networks"))
    return request


def _json(text: str) -> dict[str, object]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequest("pasted", "is not JSON") from None
    if not isinstance(document, dict):
        raise InvalidRequest("pasted", "must be a JSON object")
    return document


def _other_policy(text: str, policy: Policy) -> Policy | None:
    """Read a policy to compare with; a vendor list that it names is not read: the one in force serves."""
    if not text.strip():
        return None
    try:
        other = policy_from(parse_toml(text))
    except tomllib.TOMLDecodeError:
        raise InvalidRequest("other_policy", "is not TOML") from None
    except PolicyError as problem:
        raise InvalidRequest(".".join(filter(None, ("other_policy", problem.key))), problem.problem) from None
    return replace(other, vendor_list=policy.vendor_list)


def _words(form: Form, name: str) -> list[str]:
    return [each for each in _SEPARATORS.split(form.get(name, "")) if each]


def _numbers(form: Form, name: str) -> list[int]:
    words = _words(form, name)
    if not all(_NUMBER.fullmatch(word) for word in words):
        raise InvalidRequest(name, "must be numbers of GPP sections")
    return [int(word) for word in words]
