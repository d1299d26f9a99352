"""What is wrong with the JSON of a request, in words of ours.

Errors of ``json_format`` quote the caller's text. Of them only positions are passed on, and names of fields that the
request's message has.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

from google.protobuf.message import Message
from google.rpc import code_pb2

from server.gate.port import Refusal

_PREFIX: Final = "not valid JSON of the request's message"
_WITHIN: Final = re.compile(r"Failed to parse (\w+) field: ")
_UNKNOWN: Final = re.compile(r'Message type "?[\w.]+"? (?:has no field named|does not have extensions)')


def refusal_of(fault: Exception, kind: type[Message]) -> Refusal:
    """Return the refusal of a request whose JSON ``json_format`` could not read as a message of this kind."""
    return Refusal(code_pb2.INVALID_ARGUMENT, f"{_PREFIX}: {_description(fault, kind)}")


def _description(fault: Exception, kind: type[Message]) -> str:
    cause = _first_cause(fault)
    if isinstance(cause, json.JSONDecodeError):
        return f"a syntax error at line {cause.lineno}, column {cause.colno}"
    if isinstance(cause, UnicodeDecodeError):
        return "it is not UTF-8"
    place = ".".join(_fields_in(str(fault), kind)) or "the request"
    if _UNKNOWN.match(str(cause)):
        return f"{place} has an unknown member, or is no object; check the names"
    return f"{place} has a wrong type or value, or a member twice; check types and enumerations"


def _first_cause(fault: BaseException) -> BaseException:
    while fault.__cause__ is not None:
        fault = fault.__cause__
    return fault


def _fields_in(text: str, kind: type[Message]) -> Iterator[str]:
    """Yield the names of the fields that the error's text goes through, the outermost first."""
    message, position = kind.DESCRIPTOR, 0
    while within := _WITHIN.match(text, position):
        field = message.fields_by_camelcase_name.get(within[1]) or message.fields_by_name.get(within[1])
        if field is None:
            return
        yield field.name
        if field.message_type is None:
            return
        message, position = field.message_type, within.end()
