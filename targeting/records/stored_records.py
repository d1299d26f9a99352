"""The values stored for one subject: one type, from the store to the judge and the writers.

Values are opaque bytes here. ``preference``, ``profile`` and ``deduplication`` beside this module read them.
"""

from typing import NamedTuple

from targeting.model import SubjectKind


class StoredRecords(NamedTuple):
    """The kind of a subject, its pseudonym (16 bytes) and its stored values; None: there is none, or it was not read.

    A decision reads preference and profile only; a writer reads all three.
    """

    kind: SubjectKind
    owner: bytes
    preference: bytes | None = None
    profile: bytes | None = None
    seen: bytes | None = None
    as_held: "StoredRecords | None" = None
    """The same records as the store holds them, where these values are another form of them."""

    def held(self) -> "StoredRecords":
        """Return the records as the store holds them, which a change must be compared to."""
        return self if self.as_held is None else self.as_held

    def __repr__(self) -> str:
        """Show which values are there, never the values."""
        values = ", ".join(name for name in ("preference", "profile", "seen") if getattr(self, name) is not None)
        return f"StoredRecords({self.kind.name}: {values or 'nothing'})"
