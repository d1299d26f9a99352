"""What names a subject: placeholders name none, and one id has one name, in Unicode's form NFC.

Invariant: people whose clients send the same placeholder never share a record. Ids are compared by their bytes. An id
that is not NFC (Unicode Standard Annex 15) is looked up under both names, and written under the NFC one.
"""

import re
import unicodedata
from typing import Final
from urllib.parse import unquote

from targeting.model import Identity, Subject, SubjectKind

# What clients, tag managers and servers send where they have no id; compared in lower case.
_WORDS: Final = frozenset(
    (
        *("null", "(null)", "<null>", "nil", "undefined", "none", "(none)", "nan", "n/a", "unknown", "(unknown)"),
        *("not set", "(not set)", "[object object]", "[object undefined]", "[object null]"),
    )
)
# Zeros with or without hyphens and braces (00000000-0000-0000-0000-000000000000), a lone hyphen, and macros that were
# not expanded: ${ID}, {{id}}, %%ID%%, [ID].
_SHAPE: Final = re.compile(r"\{?[0-]+\}?|\$\{.*\}|\{\{.*\}\}|%%.*%%|\[.*\]", re.DOTALL)
_ZEROS: Final = re.compile(r"\{?[0-]*0[0-]*\}?")
# A placeholder begins with one of these, or with a blank.
_FIRST: Final = frozenset("nNuU(<[{$%0- \"'") | {""}


def is_placeholder(text: str) -> bool:
    """Whether an id names no subject: it is empty, blank, a word for "no value", all zeros or an unexpanded macro.

    Case and surrounding blanks do not matter. Example: ``NULL``, ``00000000-0000-0000-0000-000000000000``.
    """
    if text[:1] not in _FIRST and text[0].isprintable():
        return False
    text = text.strip().strip("\"'")
    if not text or text.lower() in _WORDS or _SHAPE.fullmatch(text):
        return True
    # A macro may have been percent-encoded on its way.
    return text.startswith("%") and _SHAPE.fullmatch(unquote(text)) is not None


def is_zeros(text: str) -> bool:
    """Whether an id is all zeros, with or without hyphens: an operating system's sign that tracking is limited."""
    return text[:1] in {"0", "-", "{"} and _ZEROS.fullmatch(text) is not None


def is_plain(text: str) -> bool:
    """Whether an id is absent, or surely no placeholder and in NFC: a quick test that most ids pass."""
    return not text or (text.isascii() and text[0] > " " and text[0] not in _FIRST)


def canonical(text: str) -> str:
    """Return the NFC form of an id, under which it is written."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def without_placeholders(identity: Identity, muid: str) -> Identity:
    """Return the ids that name a subject; without a device id, that of the ``MUID`` cookie is the device's."""
    account, linked, device = identity
    if is_placeholder(device):
        device = "" if is_placeholder(muid) else muid
    return Identity(
        account_id="" if is_placeholder(account) else account,
        linked_account_ids=tuple(other for other in linked if not is_placeholder(other)) if linked else linked,
        device_id=device,
    )


def names_of(kind: SubjectKind, text: str) -> tuple[Subject, ...]:
    """Return the subject under its NFC name and, where that differs, under the name that was sent."""
    name = canonical(text)
    return (Subject(kind, name),) if name == text else (Subject(kind, name), Subject(kind, text))
