"""What becomes of a bid request on its way to one network: every field that differs, and why.

Pure: it compares what went in with what came out. Knows nothing of how the one was made from the other.
"""

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple


class Change(StrEnum):
    """What became of a field; the value is how a line of a diff begins."""

    REMOVED = "-"
    CHANGED = "~"
    ADDED = "+"


class Difference(NamedTuple):
    """One field that differs: its JSON path, its value before and after as JSON (empty: not there), and why."""

    path: str
    change: Change
    before: str
    after: str
    why: str


class _Because(NamedTuple):
    """Why fields whose path matches differ."""

    pattern: re.Pattern[str]
    why: str


def _because(pattern: str, why: str) -> _Because:
    return _Because(re.compile(pattern), why)


_WHY_GONE: Final = (
    _because(r"regs|device\.(dnt|lmt)|user\.(ext\.)?consent", "a signal that has not the form of one"),
    _because(r"imp\[\d+\]\.ext\.prebid\.bidder\.|ext\.prebid\.bidder", "a network's parameters, by name its own only"),
    _because(r"imp\[\d+\]\.ext|ext", "an extension that the policy does not list"),
    _because(r"device\.geo\.(lat|lon|type|accuracy|lastfix|ipservice)", "a precise position, by permission only"),
    _because(r"device\.geo", "a place is told to country and region"),
    _because(r"device\.(ifa|did|dpid|mac)", "identifies the device"),
    _because(r"device\.ext|user\.ext", "an extension that the policy does not list, ids among them"),
    _because(r"device\.ip", "is no address, or has moved to the field of its version"),
    _because(r"device\.devicetype", "is no type that OpenRTB lists"),
    _because(r"device\.lang", "is said as the decision has it"),
    _because(r"device", "would do to know the device again"),
    _because(r"user\.(id|buyeruid|eids)", "identifies the person"),
    _because(r"user", "says something of the person"),
    _because(r"[^.]*$", "is not passed on from here: a user or a device has it"),
)
_WHY_OTHER: Final = (
    _because(r"device\.ipv?6?", "an address is masked"),
    _because(r"device\.geo\.(lat|lon)", "a coarse position is rounded"),
    _because(r"device\.(os|sua)", "families of system and browser, no more"),
    _because(r"device", "as the decision has it"),
    _because(r"user\.eids", "the network's own id for the person"),
    _because(r"user\.(gender|data)", "the profile that the network may have"),
    _because(r"user\.geo", "the country of residence"),
    _because(r"user\.buyeruid", "the id that the network gave the person itself"),
    _because(r"user\.consent|regs", "where OpenRTB 2.6 keeps it; unchanged"),
    _because(r".*", "rebuilt"),
)

_ANOTHERS: Final = frozenset({"user.data", "user.eids"})
"""What stands there afterwards has nothing to do with what stood there before."""


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Give what differs between two bid requests, in the order of the first; what was added comes last."""
    return sorted(_differences("", before, after), key=lambda each: each.change is Change.ADDED)


def _differences(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in (*before, *(name for name in after if name not in before)):
            at = f"{path}.{name}" if path else name
            if at in _ANOTHERS or name not in after or name not in before:
                yield from _replaced(at, before.get(name), after.get(name))
            else:
                yield from _differences(at, before[name], after[name])
    elif _are_alike(before, after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(f"{path}[{index}]", old, new)
    elif before != after:
        yield Difference(path, Change.CHANGED, _shown(before), _shown(after), _why(path, _WHY_OTHER))


def _are_alike(before: Any, after: Any) -> bool:
    """Tell whether two values are lists whose items belong together."""
    return isinstance(before, list) and isinstance(after, list) and len(before) == len(after)


def _replaced(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if before is not None:
        yield Difference(path, Change.REMOVED, _shown(before), "", _why(path, _WHY_GONE))
    if after is not None:
        yield Difference(path, Change.ADDED, "", _shown(after), _why(path, _WHY_OTHER))


def _why(path: str, table: tuple[_Because, ...]) -> str:
    return next((each.why for each in table if each.pattern.match(path)), "is not passed on")


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
