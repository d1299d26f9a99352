"""Dates and times of messages: from and to days and milliseconds since 1970-01-01."""

from datetime import date
from typing import Final

from adtargeting.v1.preference_pb2 import Date
from google.protobuf.timestamp_pb2 import Timestamp

from server.errors import InvalidRequest
from targeting.age import date_of, day_of

_EARLIEST_BIRTH_DAY: Final = day_of(date(1900, 1, 1))
_DAY_S: Final = 86_400


def timestamp(at_ms: int) -> Timestamp:
    """Return the message of a time in milliseconds since 1970."""
    message = Timestamp()
    message.FromMilliseconds(at_ms)
    return message


def date_message(day: int) -> Date:
    """Return the message of a day counted from 1970-01-01."""
    on = date_of(day)
    return Date(year=on.year, month=on.month, day=on.day)


def birth_day(field: str, message: Date, now_s: float) -> int:
    """Read a birth date as a day counted from 1970-01-01. Raises ``InvalidRequest``."""
    try:
        born = day_of(date(message.year, message.month, message.day))
    except ValueError:
        raise InvalidRequest(field, "not a date; send year, month and day of the Gregorian calendar") from None
    if not _EARLIEST_BIRTH_DAY <= born <= now_s // _DAY_S + 1:
        raise InvalidRequest(field, "must be between 1900-01-01 and today")
    return born
