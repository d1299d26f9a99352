"""The ``regs`` of a prepared bid request: valid signals, and nothing else.

Invariant: only members of the specifications are copied; any other could contain anything about the person.
"""

from collections.abc import Mapping
from typing import Any, Final

from targeting.openrtb.forms import DSA, REGS, REGS_EXT, select_valid
from targeting.openrtb.json import Raw, members

_MOVED: Final = ("gdpr", "us_privacy", "gpp", "gpp_sid")
"""Signals that OpenRTB 2.5 has in the extension and 2.6 in ``regs`` itself."""


def build_regs(fields: Mapping[str, Any], raw: Raw) -> dict[str, Any]:
    """Keep each signal in its place, and copy those that are only in OpenRTB 2.5's place to that of 2.6."""
    raw_members = members(raw)
    regs = select_valid(fields, raw_members, REGS)
    if "ext" in raw_members and (ext := _extension(fields["ext"], members(raw_members["ext"]))):
        # An invalid signal is not absent; a copy in its place would be a statement of our own.
        regs |= {name: ext[name] for name in _MOVED if name in ext and fields.get(name) is None}
        regs["ext"] = ext
    return regs


def _extension(fields: Mapping[str, Any], raw: Mapping[str, Raw]) -> dict[str, Any]:
    ext = select_valid(fields, raw, REGS_EXT)
    dsa = fields.get("dsa")
    if isinstance(dsa, dict) and (valid := select_valid(dsa, members(raw["dsa"]), DSA)):
        ext["dsa"] = valid
    return ext
