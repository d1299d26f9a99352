"""The call destinations and the exposures of a profile: decaying counts and plain counts.

Invariants: one row per country and one per ad, at most ``MAX_DESTINATIONS`` and ``MAX_EXPOSURES``; exposures newest
first, those of one second by the ad's id. Unchanged rows are copied packed.
"""

from targeting.recording.decay import Moment, decayed
from targeting.records.profile import (
    DESTINATION,
    EXPOSURE,
    MAX_DESTINATIONS,
    MAX_EXPOSURES,
    MOST_COUNTED,
    exposure_rows,
)

_DESTINATION_SIZE, _EXPOSURE_SIZE = DESTINATION.size, EXPOSURE.size


def count_call(rows: bytes, country: str, moment: Moment) -> bytes:
    """Count a call to a country (ISO 3166-1 alpha-2); a call that is reported late has decayed since."""
    packed, days = country.encode("ascii"), moment.half_life.destination
    offset = rows.find(packed)
    while offset >= 0 and offset % _DESTINATION_SIZE:
        offset = rows.find(packed, offset + 1)
    if offset < 0:
        return _without_smallest(rows + DESTINATION.pack(packed, 1.0, moment.at_s), moment)
    _, weight, updated_s = DESTINATION.unpack_from(rows, offset)
    later_s = max(updated_s, moment.at_s)
    weight = weight * decayed(later_s - updated_s, days) + decayed(later_s - moment.at_s, days)
    return rows[:offset] + DESTINATION.pack(packed, weight, later_s) + rows[offset + _DESTINATION_SIZE :]


def count_exposure(
    rows: bytes, ad_ids: list[bytes], ad_id: bytes, seen: tuple[int, int, int]
) -> tuple[bytes, list[bytes]]:
    """Count one ad: ``seen`` is impressions, clicks, and when (Unix seconds). The oldest are dropped."""
    impressions, clicks, at_s = seen
    if ad_id in ad_ids:
        index = ad_ids.index(ad_id)
        held = EXPOSURE.unpack_from(rows, index * _EXPOSURE_SIZE)
        impressions, clicks, at_s = held[0] + impressions, held[1] + clicks, max(held[2], at_s)
        ad_ids = ad_ids[:index] + ad_ids[index + 1 :]
        rows = rows[: index * _EXPOSURE_SIZE] + rows[(index + 1) * _EXPOSURE_SIZE :]
    index = _rank(rows, ad_ids, ad_id, at_s)
    offset = index * _EXPOSURE_SIZE
    row = EXPOSURE.pack(min(impressions, MOST_COUNTED), min(clicks, MOST_COUNTED), at_s)
    return (
        (rows[:offset] + row + rows[offset:])[: MAX_EXPOSURES * _EXPOSURE_SIZE],
        [*ad_ids[:index], ad_id, *ad_ids[index:]][:MAX_EXPOSURES],
    )


def _rank(rows: bytes, ad_ids: list[bytes], ad_id: bytes, at_s: int) -> int:
    """Return how many exposures come first: newer ones, and equally new ones with a smaller id."""
    place = (-at_s, ad_id)
    ranked = zip(exposure_rows(rows), ad_ids, strict=True)
    return next((index for index, (row, other) in enumerate(ranked) if (-row[2], other) > place), len(ad_ids))


def _without_smallest(rows: bytes, moment: Moment) -> bytes:
    """Drop the row with the smallest weight now if there are too many; among equals, the oldest."""
    if len(rows) <= MAX_DESTINATIONS * _DESTINATION_SIZE:
        return rows
    ranked = (
        (weight * decayed(moment.now_s - updated_s, moment.half_life.destination), updated_s, index)
        for index, (_, weight, updated_s) in enumerate(DESTINATION.iter_unpack(rows))
    )
    offset = min(ranked)[-1] * _DESTINATION_SIZE
    return rows[:offset] + rows[offset + _DESTINATION_SIZE :]
