"""US Privacy strings, such as ``1YNN``: four characters, the predecessor of GPP.

IAB "US Privacy String", version 1 (March 2020). Invariant: anything but a version 1 string is ``Unreadable``.
Knows nothing of the source of the string.
"""

from typing import NamedTuple

from targeting.signals.unreadable import Unreadable

_ANSWERS = frozenset("YN-")


class UsPrivacy(NamedTuple):
    """The three answers, each ``Y``, ``N`` or ``-`` (not applicable)."""

    version: int
    notice: str
    opt_out_sale: str
    lspa: str

    @property
    def opted_out(self) -> bool:
        """Whether the person opted out of the sale. ``1---`` (the law does not apply) is no opt-out."""
        return self.opt_out_sale == "Y"


def read_us_privacy(text: str) -> UsPrivacy:
    """Read a string, in upper or lower case. Raises ``Unreadable``."""
    if len(text) != 4 or not text.isascii():
        raise Unreadable("not four ASCII characters")
    answers = text.upper()
    if answers[0] != "1":
        raise Unreadable("an unknown version")
    if not _ANSWERS.issuperset(answers[1:]):
        raise Unreadable("an answer other than Y, N or -")
    return UsPrivacy(version=1, notice=answers[1], opt_out_sale=answers[2], lspa=answers[3])


def decode_us_privacy(text: str) -> dict[str, int | str]:
    """Return all fields under their names in section 6 of a GPP string. Raises ``Unreadable``."""
    version, notice, opt_out_sale, lspa = read_us_privacy(text)
    return {"Version": version, "Notice": notice, "OptOutSale": opt_out_sale, "LspaCovered": lspa}
