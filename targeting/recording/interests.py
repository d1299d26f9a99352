"""The interest rows of a profile: scores grow towards 1 with each gain, decay over time, and the weakest is dropped.

Invariants: one row per segment, at most ``MAX_INTERESTS``; scores stay within 0..1; the names of outside segments and
their codes stay consistent. Unchanged rows are copied packed.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from targeting.features.taxonomy import segment_code
from targeting.recording.decay import Moment, decayed
from targeting.records.profile import INTEREST, INTEREST_ROW, MAX_INTERESTS, OUTSIDE_CODE, SCORE_STEPS, SegmentKind

_SIZE = INTEREST.size


class InterestGain(NamedTuple):
    """How an activity strengthens a segment: the kind of the segment, and the part of the way to 1 that it adds.

    Example: a gain of 0.5 takes a score of 0.6 to 0.8.
    """

    kind: SegmentKind
    part: float


class InterestRows(NamedTuple):
    """Packed rows (``INTEREST_ROW``), and the names of segments of outside sources."""

    rows: bytes
    outside_names: tuple[str, ...]

    def strengthened(self, segment_ids: Iterable[str], gain: InterestGain, moment: Moment) -> "InterestRows":
        """Add a gain to segments, once each; drop the weakest if there are too many."""
        interests = self
        for segment_id in dict.fromkeys(segment_ids):
            code, names = _code(segment_id, interests.outside_names)
            interests = InterestRows(_strengthen(interests.rows, code, gain, moment), names)
        while len(interests.rows) > MAX_INTERESTS * _SIZE:
            interests = interests._without_weakest(moment)
        return interests

    def _without_weakest(self, moment: Moment) -> "InterestRows":
        """Drop the row with the smallest score now; among equals the oldest, or the first."""
        rows = np.frombuffer(self.rows, INTEREST_ROW)
        age_s = np.maximum(moment.now_s - rows["updated_s"].astype(np.int64), 0)
        days = np.array([1.0, *map(moment.days, SegmentKind)])[rows["kind"]]
        score = rows["score"] * np.exp2(age_s / (days * -86_400.0))
        weakest = int(np.lexsort((rows["updated_s"], score))[0])
        left = np.delete(rows, weakest)
        dropped = int(rows["code"][weakest])
        if dropped < OUTSIDE_CODE:
            return InterestRows(left.tobytes(), self.outside_names)
        left["code"] -= left["code"] > dropped
        index = dropped - OUTSIDE_CODE
        return InterestRows(left.tobytes(), self.outside_names[:index] + self.outside_names[index + 1 :])


def _code(segment_id: str, names: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """Return the code of a segment, and the names, with its own added if it needs one."""
    if (code := segment_code(segment_id)) is not None:
        return code, names
    if segment_id in names:
        return OUTSIDE_CODE + names.index(segment_id), names
    return OUTSIDE_CODE + len(names), (*names, segment_id)


def _strengthen(rows: bytes, code: int, gain: InterestGain, moment: Moment) -> bytes:
    offset = _find(rows, code)
    if offset < 0:
        return rows + INTEREST.pack(code, moment.at_s, round(gain.part * SCORE_STEPS), gain.kind)
    return rows[:offset] + _strengthened(INTEREST.unpack_from(rows, offset), gain, moment) + rows[offset + _SIZE :]


def _find(rows: bytes, code: int) -> int:
    """Return the offset of a code's row; -1: there is none."""
    packed = code.to_bytes(2, "little")
    offset = rows.find(packed)
    while offset >= 0 and offset % _SIZE:
        offset = rows.find(packed, offset + 1)
    return offset


def _strengthened(row: tuple[int, int, int, int], gain: InterestGain, moment: Moment) -> bytes:
    """Add a gain; one that is reported late has decayed since. The longer half-life of two kinds counts."""
    code, updated_s, steps, held_kind = row
    later_s = max(updated_s, moment.at_s)
    held_days, days = moment.days(held_kind), moment.days(gain.kind)
    before = steps / SCORE_STEPS * decayed(later_s - updated_s, held_days)
    added = gain.part * decayed(later_s - moment.at_s, days)
    kind = max((held_days, held_kind), (days, int(gain.kind)))[1]
    return INTEREST.pack(code, later_s, round((before + added - before * added) * SCORE_STEPS), kind)
