"""The difference between a bid request and its prepared form: every changed field, and why it changed.

Pure: compares the request that went in with the one that came out, and knows nothing of how it was prepared.
"""

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple


class ChangeKind(StrEnum):
    """How a field changed; the value is the first character of a diff line."""

    REMOVED = "-"
    CHANGED = "~"
    ADDED = "+"


class Difference(NamedTuple):
    """One changed field: its JSON path, its value before and after as JSON (empty: absent), and the cause."""

    path: str
    kind: ChangeKind
    before: str
    after: str
    cause: str


class _Cause(NamedTuple):
    """Why the fields whose path matches the pattern change."""

    pattern: re.Pattern[str]
    text: str


def _cause(pattern: str, text: str) -> _Cause:
    return _Cause(re.compile(pattern), text)


_CAUSES_OF_REMOVAL: Final = (
    _cause(r"regs|device\.(dnt|lmt)|user\.(ext\.)?consent", "a malformed privacy signal"),
    _cause(r"imp\[\d+\]\.ext\.prebid\.bidder\.|ext\.prebid\.bidder", "bidder parameters go to their own network only"),
    _cause(r"(.*\.)?ext\b", "an extension that the policy does not list"),
    _cause(r"device\.geo\.(lat|lon|type|accuracy|lastfix|ipservice)", "a precise position needs permission"),
    _cause(r"device\.geo", "a location is cut to country and region"),
    _cause(r"device\.(ifa|did|dpid|mac)", "identifies the device"),
    _cause(r"device\.ip", "not an IP address, or moved to the field of its version"),
    _cause(r"device\.devicetype", "not a device type that OpenRTB lists"),
    _cause(r"device\.lang", "replaced by the language of the decision"),
    _cause(r"device", "could fingerprint the device"),
    _cause(r"user\.(id|buyeruid|eids)", "identifies the person"),
    _cause(r"user", "personal data"),
    _cause(r".*", "not a field of OpenRTB, or of another type"),
)
_CAUSES_OF_CHANGE: Final = (
    _cause(r"device\.ipv?6?", "the address is masked"),
    _cause(r"device\.geo\.(lat|lon)", "the position is rounded"),
    _cause(r"device\.(os|sua)", "reduced to system and browser family"),
    _cause(r"device", "taken from the decision"),
    _cause(r"user\.eids", "the network-scoped id"),
    _cause(r"user\.data", "the profile that the network may receive"),
    _cause(r"user\.geo", "the country of residence"),
    _cause(r"user\.buyeruid", "the id that this network assigned itself"),
    _cause(r"user\.consent|regs", "moved to its OpenRTB 2.6 place, unchanged"),
    _cause(r".*", "rebuilt"),
)

_REPLACED: Final = frozenset({"user.data", "user.eids"})
"""Fields whose new value is not derived from the old one: shown as removed and added."""


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return the changed fields in the order of the first request; added fields come last."""
    return sorted(_differences("", before, after), key=lambda difference: difference.kind is ChangeKind.ADDED)


def _differences(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in (*before, *(name for name in after if name not in before)):
            inner = f"{path}.{name}" if path else name
            if inner in _REPLACED or name not in after or name not in before:
                yield from _replaced(inner, before.get(name), after.get(name))
            else:
                yield from _differences(inner, before[name], after[name])
    elif _are_parallel_lists(before, after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(f"{path}[{index}]", old, new)
    elif before != after:
        yield Difference(path, ChangeKind.CHANGED, _json(before), _json(after), _cause_text(path, _CAUSES_OF_CHANGE))


def _are_parallel_lists(before: Any, after: Any) -> bool:
    """Return whether two values are lists that can be compared item by item."""
    return isinstance(before, list) and isinstance(after, list) and len(before) == len(after)


def _replaced(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if before is not None:
        yield Difference(path, ChangeKind.REMOVED, _json(before), "", _cause_text(path, _CAUSES_OF_REMOVAL))
    if after is not None:
        yield Difference(path, ChangeKind.ADDED, "", _json(after), _cause_text(path, _CAUSES_OF_CHANGE))


def _cause_text(path: str, causes: tuple[_Cause, ...]) -> str:
    return next(cause.text for cause in causes if cause.pattern.match(path))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
