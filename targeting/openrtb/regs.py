"""The ``regs`` of a prepared bid request: the signals that have the form of one, and nothing else.

Invariant: a member that no specification names cannot enter: whoever sends it could put anything there.
"""

from collections.abc import Mapping
from typing import Any, Final

from targeting.openrtb.forms import DSA, REGS, REGS_EXT, select_valid
from targeting.openrtb.json import Raw, members

_MOVED: Final = ("gdpr", "us_privacy", "gpp", "gpp_sid")
"""What OpenRTB 2.5 keeps in the extension, and 2.6 in ``regs`` itself."""


def build_regs(fields: Mapping[str, Any], raw: Raw) -> dict[str, Any]:
    """Leave the signals where they are, and put those that only OpenRTB 2.5's place holds in 2.6's, too."""
    there = members(raw)
    regs = select_valid(fields, there, REGS)
    if "ext" in there and (ext := _extension(fields["ext"], members(there["ext"]))):
        # One that is there in another form is no absent one: what is then said would be ours.
        regs |= {name: ext[name] for name in _MOVED if name in ext and name not in there}
        regs["ext"] = ext
    return regs


def _extension(fields: Mapping[str, Any], raw: Mapping[str, Raw]) -> dict[str, Any]:
    ext = select_valid(fields, raw, REGS_EXT)
    dsa = fields.get("dsa")
    if isinstance(dsa, dict) and (shown := select_valid(dsa, members(raw["dsa"]), DSA)):
        ext["dsa"] = shown
    return ext
