"""From the description of a device to families: what serving an ad needs, and too little to know the device again.

Invariant: what comes out is one of the names below or nothing, never a part of what came in. Browsers that few
people use count as the one that they are built from: a rare name would single out a person.
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
# In this order: most browsers also name the ones that they claim to be like.
_BROWSERS: Final = (
    ("Edge", re.compile(r"Edg(?:e|A|iOS)?/|Microsoft Edge")),
    ("Opera", re.compile(r"OPR/|OPT/|Opera")),
    ("Samsung Internet", re.compile(r"SamsungBrowser/|Samsung Internet")),
    ("Firefox", re.compile(r"Firefox|FxiOS/")),
    ("Chrome", re.compile(r"Chrome|CriOS/|Chromium")),
    ("Safari", re.compile(r"Safari|AppleWebKit/")),
)
_MAX_TEXT: Final = 512
"""Characters of a User-Agent that are looked at."""
_NOTHING: Final[Mapping[str, Any]] = {}


class Families(NamedTuple):
    """The families of the operating system and of the browser, empty when not known, and whether it is a mobile."""

    system: str
    browser: str
    mobile: bool


def families_of(device: Mapping[str, Any]) -> Families:
    """Read the families from a device object whose fields were checked."""
    hints, agent = device.get("sua", _NOTHING), device.get("ua", "")[:_MAX_TEXT]
    platform = hints.get("platform", _NOTHING).get("brand", "")
    brands = "|".join([each.get("brand", "") for each in hints.get("browsers", ())])
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
