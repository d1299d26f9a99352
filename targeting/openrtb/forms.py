"""The privacy signals and consents of a bid request: their places, and the valid form of each.

One table for reading and for writing. Invariant: a signal in any other form counts as unreadable, which limits, and
is sent to no network: an object in place of a flag could contain anything about the person.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

Validator = Callable[[object], bool]
Validators = Mapping[str, Validator]

MAX_SECTIONS: Final = 32
"""Ids of GPP sections; a longer list is unreadable."""

_NO_SECTION: Final = -1
"""The value of ``gpp_sid`` where no section applies."""
_MAX_SECTION: Final = 0xFFFF
_MAX_PROVIDER: Final = 0x7FFF_FFFF
_STATUSES: Final = range(4)
_SMALL: Final = range(10)


def _is_flag(value: object) -> bool:
    return type(value) is int and 0 <= value <= 1


def _is_flag_or_text(value: object) -> bool:
    return _is_flag(value) or (type(value) is str and value in {"0", "1"})


def is_text(value: object) -> bool:
    """Whether a value is a text; what a consent string says is decided elsewhere."""
    return type(value) is str


def _is_status(value: object) -> bool:
    return type(value) is int and value in _STATUSES


def _is_small(value: object) -> bool:
    return type(value) is int and value in _SMALL


def _are_numbers(value: object, least: int, most: int) -> bool:
    return type(value) is list and all(type(number) is int and least <= number <= most for number in value)


def _are_sections(value: object) -> bool:
    return type(value) is list and len(value) <= MAX_SECTIONS and _are_numbers(value, _NO_SECTION, _MAX_SECTION)


def _holds_providers(value: object) -> bool:
    if type(value) is not dict:
        return False
    providers = value.get("consented_providers", "")
    return is_text(providers) or _are_numbers(providers, 0, _MAX_PROVIDER)


def _is_transparency(value: object) -> bool:
    return type(value) is list and all(
        type(entry) is dict
        and entry.keys() <= {"domain", "dsaparams"}
        and is_text(entry.get("domain", ""))
        and _are_numbers(entry.get("dsaparams", []), 0, _MAX_SECTION)
        for entry in value
    )


REGS: Final[Validators] = {
    "coppa": _is_flag,
    "gdpr": _is_flag,
    "us_privacy": is_text,
    "gpp": is_text,
    "gpp_sid": _are_sections,
    # IAB's specification of Global Privacy Control in OpenRTB says text; many senders write a number.
    "gpc": _is_flag_or_text,
}
"""Members of ``regs`` and ``regs.ext``: OpenRTB 2.5 has most of them in the extension."""

REGS_EXT: Final[Validators] = {**REGS, "s22580": _is_flag}
"""``s22580``: section 22580 of California's Business and Professions Code, on services directed to minors."""

DSA: Final[Validators] = {
    "dsarequired": _is_small,
    "pubrender": _is_small,
    "datatopub": _is_small,
    "transparency": _is_transparency,
}
"""Members of ``regs.ext.dsa``: what the EU's Digital Services Act requires to be shown with an ad."""

PROVIDER_SETTINGS: Final = ("consented_providers_settings", "ConsentedProvidersSettings")
"""Google's Additional Consent is in ``consented_providers`` of either object."""

USER: Final[Validators] = {"consent": is_text}
"""Members of ``user``."""

USER_EXT: Final[Validators] = {
    "consent": is_text,
    "gdpr": _is_flag,
    **dict.fromkeys(PROVIDER_SETTINGS, _holds_providers),
}
"""Members of ``user.ext``; some senders put the flag ``gdpr`` there."""

DEVICE: Final[Validators] = {"dnt": _is_flag, "lmt": _is_flag}
"""Members of ``device``."""

DEVICE_EXT: Final[Validators] = {"atts": _is_status}
"""Members of ``device.ext``: ``atts`` is Apple's ATTrackingManager.AuthorizationStatus."""


def select_valid(fields: Mapping[str, Any], raw: Mapping[str, Any], forms: Validators) -> dict[str, Any]:
    """Return the members of an object that are valid, as their original bytes.

    A flag written as another single bit, which we do not read, is passed on too: a receiver may read it.
    """
    return {
        name: raw[name]
        for name, form in forms.items()
        if name in fields and (form(fields[name]) or (form in _FLAGS and _is_bit(fields[name])))
    }


def _is_bit(value: object) -> bool:
    return type(value) is bool or (type(value) is str and value in {"0", "1"})


_FLAGS: Final = (_is_flag, _is_flag_or_text)
