"""Read the message of an activity into core values, and only what may enter a profile.

``InvalidRequest`` names the invalid field, never its value. Every field is checked, also one that the kind of the
activity does not use.
"""

from adtargeting.v1 import profile_pb2 as pb

from server.errors import InvalidRequest
from server.messages.translate import check_place, checked_country, identity, named_id, signals
from targeting.model import NO_SIGNALS, AdRequest, Signals
from targeting.recording.activity import INTEREST_GAINS, Activity, ActivityKind
from targeting.recording.pii import has_invisible, is_identifying

MAX_SEGMENTS = 16
MAX_SEGMENT_BYTES = 64
MAX_AD_BYTES = 128

_KINDS = {int(kind): kind for kind in ActivityKind}
_ADS = (ActivityKind.AD_IMPRESSION, ActivityKind.AD_CLICK)
# A page view without segments still counts as activity; other evidence without segments has no content.
_NEED_SEGMENTS = frozenset(INTEREST_GAINS) - {ActivityKind.PAGE_VIEW, ActivityKind.CONTENT}


def read_activity(message: pb.Activity, now_s: int, oldest_s: int) -> Activity:
    """Read the activity itself. ``oldest_s`` is the earliest time that is still kept (Unix seconds).

    Raises ``InvalidRequest``.
    """
    if message.activity_id:
        named_id("activity_id", message.activity_id)
    kind = _KINDS.get(message.kind)
    if kind is None:
        raise InvalidRequest("kind", "unknown value; use a kind of adtargeting.v1.ActivityKind")
    segment_ids = tuple(message.segment_ids)
    if len(segment_ids) > MAX_SEGMENTS:
        raise InvalidRequest("segment_ids", f"must contain at most {MAX_SEGMENTS} items")
    for index, segment_id in enumerate(segment_ids):
        checked_name(f"segment_ids[{index}]", segment_id, MAX_SEGMENT_BYTES)
    ad_id, country = message.ad_id, checked_country("destination_country", message.destination_country)
    if ad_id:
        checked_name("ad_id", ad_id, MAX_AD_BYTES)
    _check_complete(kind, segment_ids, country, ad_id)
    check_place("client.country", message.client.country)
    return Activity(kind, _occurred(message, now_s, oldest_s), segment_ids, country, ad_id)


def request_of(message: pb.Activity, caller: str = "") -> AdRequest:
    """Read the subject and the signals of an activity, in the form that the judge takes. Raises ``InvalidRequest``.

    They count even if ``read_activity`` refuses the activity or its country.
    """
    who = identity(message.account_id, (), message.device_id)
    if not (who.account_id or who.device_id):
        raise InvalidRequest("account_id", "missing subject; set account_id or device_id")
    for field, text in (("account_id", who.account_id), ("device_id", who.device_id)):
        if text:
            named_id(field, text)
    country, targeted_ads_off = "", False
    if message.HasField("client"):
        country, targeted_ads_off = message.client.country, message.client.targeted_ads_off
    return AdRequest(
        identity=who,
        client_country=country,
        cookie_header=message.cookie_header,
        signals=_signals(message, targeted_ads_off=targeted_ads_off),
        caller=caller,
    )


def checked_name(field: str, text: str, max_bytes: int) -> str:
    """Return the name of a segment or an ad if it is valid. Raises ``InvalidRequest``."""
    if not text:
        raise InvalidRequest(field, "must not be empty")
    if len(text) > max_bytes or len(text.encode()) > max_bytes:
        raise InvalidRequest(field, f"must have at most {max_bytes} bytes")
    if has_invisible(text):
        raise InvalidRequest(field, "must not contain control or invisible characters")
    if is_identifying(text):
        raise InvalidRequest(field, "looks like an e-mail address or a phone number; send another id")
    return text


def _signals(message: pb.Activity, *, targeted_ads_off: bool) -> Signals:
    if message.HasField("signals"):
        return signals(message.signals, targeted_ads_off=targeted_ads_off)
    return Signals(targeted_ads_off=True) if targeted_ads_off else NO_SIGNALS


def _check_complete(kind: ActivityKind, segment_ids: tuple[str, ...], country: str, ad_id: str) -> None:
    if kind in _NEED_SEGMENTS and not segment_ids:
        raise InvalidRequest("segment_ids", "must not be empty for this kind")
    if kind is ActivityKind.CALL and not country:
        raise InvalidRequest("destination_country", "must name the country that was called")
    if kind in _ADS and not ad_id:
        raise InvalidRequest("ad_id", "must name the ad")


def _occurred(message: pb.Activity, now_s: int, oldest_s: int) -> int:
    """Return the time of the activity, or now if it lies in the future: clocks may run ahead."""
    if not message.HasField("occurred_at"):
        return now_s
    occurred_s: int = message.occurred_at.seconds
    if occurred_s < oldest_s:
        raise InvalidRequest("occurred_at", "older than retention.profile_days")
    return min(occurred_s, now_s)
