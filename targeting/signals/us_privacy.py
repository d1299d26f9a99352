"""US Privacy strings, such as ``1YNN``: four characters of the time before GPP.

IAB "US Privacy String", version 1 (March 2020). Invariant: anything but a version 1 string is ``Unreadable``.
Knows nothing of where the string comes from.
"""

from typing import NamedTuple

from targeting.signals.unreadable import Unreadable

_ANSWERS = frozenset("YN-")


class UsPrivacy(NamedTuple):
    """The three answers, each ``Y``, ``N`` or ``-``: not applicable, or, except for the sale, unknown."""

    version: int
    notice: str
    opt_out_sale: str
    lspa: str

    @property
    def opted_out(self) -> bool:
        """Whether the person opted out of the sale. ``1---``, the law does not apply, is no opt-out."""
        return self.opt_out_sale == "Y"


def read(text: str) -> UsPrivacy:
    """Read a string; letters count in either case. Raises ``Unreadable``."""
    if len(text) != 4 or not text.isascii():
        raise Unreadable("not four ASCII characters")
    answers = text.upper()
    if answers[0] != "1":
        raise Unreadable("an unknown version")
    if not _ANSWERS.issuperset(answers[1:]):
        raise Unreadable("an answer that is none of Y, N and -")
    return UsPrivacy(1, answers[1], answers[2], answers[3])


def decode(text: str) -> dict[str, int | str]:
    """Return all fields, by the names that they have as section 6 of a GPP string. Raises ``Unreadable``."""
    version, notice, opt_out_sale, lspa = read(text)
    return {"Version": version, "Notice": notice, "OptOutSale": opt_out_sale, "LspaCovered": lspa}
