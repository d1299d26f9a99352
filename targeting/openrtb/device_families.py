"""Families of operating systems and browsers: enough to serve an ad, too little to recognise a device.

Invariant: the output is one of the names below or empty, never a part of the input. A rare browser counts as the one
that it is built from, since a rare name would single out a person.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

_SYSTEMS: Final = re.compile(
    r"(?P<Windows>windows)|(?P<Tizen>tizen)|(?P<webOS>web0s|webos)|(?P<Roku>roku)|(?P<tvOS>tvos|apple ?tv)"
    r"|(?P<iOS>\bios\b|iphone|ipad|ipod)|(?P<Android>android|fire ?os)|(?P<ChromeOS>\bcros\b|chrom(?:e|ium) ?os)"
    r"|(?P<macOS>mac ?os|macintosh|os x)|(?P<Linux>linux|x11)",
    re.IGNORECASE,
)
# The order matters: most browsers also name those that they claim to be compatible with.
_BROWSERS: Final = (
    ("Edge", re.compile(r"Edg(?:e|A|iOS)?/|Microsoft Edge")),
    ("Opera", re.compile(r"OPR/|OPT/|Opera")),
    ("Samsung Internet", re.compile(r"SamsungBrowser/|Samsung Internet")),
    ("Firefox", re.compile(r"Firefox|FxiOS/")),
    ("Chrome", re.compile(r"Chrome|CriOS/|Chromium")),
    ("Safari", re.compile(r"Safari|AppleWebKit/")),
)
_MAX_TEXT: Final = 512
"""Characters of a User-Agent that are examined."""
_NOTHING: Final[Mapping[str, Any]] = {}


class Families(NamedTuple):
    """The families of operating system and browser, empty if unknown, and whether the device is mobile."""

    system: str
    browser: str
    mobile: bool


def families_of(device: Mapping[str, Any]) -> Families:
    """Derive the families from a device object whose fields were checked."""
    hints, agent = device.get("sua", _NOTHING), device.get("ua", "")[:_MAX_TEXT]
    platform = hints.get("platform", _NOTHING).get("brand", "")
    brands = "|".join([browser.get("brand", "") for browser in hints.get("browsers", ())])
    return Families(
        _system(device.get("os", "")) or _system(platform) or _system(agent),
        _browser(brands[:_MAX_TEXT]) or _browser(agent),
        hints["mobile"] == 1 if "mobile" in hints else "Mobi" in agent,
    )


def _system(text: str) -> str:
    found = _SYSTEMS.search(text[:_MAX_TEXT])
    return found.lastgroup or "" if found else ""


def _browser(text: str) -> str:
    return next((name for name, pattern in _BROWSERS if pattern.search(text)), "")
