"""The call destinations and the exposures of a profile: counts, of which the first fade.

Invariants: one row a country and one an ad, at most ``MAX_DESTINATIONS`` and ``MAX_EXPOSURES``; exposures newest
first, those of one second by the ad's id. Rows that are not concerned are copied as they are, packed.
"""

from targeting.recording.decay import Moment, faded
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
    """Count a call to a country (ISO 3166-1 alpha-2); one that is told of late has faded since."""
    packed, days = country.encode("ascii"), moment.half_life.destination
    at = rows.find(packed)
    while at >= 0 and at % _DESTINATION_SIZE:
        at = rows.find(packed, at + 1)
    if at < 0:
        return _without_least(rows + DESTINATION.pack(packed, 1.0, moment.at_s), moment)
    _, weight, updated_s = DESTINATION.unpack_from(rows, at)
    later_s = max(updated_s, moment.at_s)
    weight = weight * faded(later_s - updated_s, days) + faded(later_s - moment.at_s, days)
    return rows[:at] + DESTINATION.pack(packed, weight, later_s) + rows[at + _DESTINATION_SIZE :]


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
    at = index * _EXPOSURE_SIZE
    row = EXPOSURE.pack(min(impressions, MOST_COUNTED), min(clicks, MOST_COUNTED), at_s)
    return (
        (rows[:at] + row + rows[at:])[: MAX_EXPOSURES * _EXPOSURE_SIZE],
        [*ad_ids[:index], ad_id, *ad_ids[index:]][:MAX_EXPOSURES],
    )


def _rank(rows: bytes, ad_ids: list[bytes], ad_id: bytes, at_s: int) -> int:
    """Give how many exposures are newer, or as new and of an earlier name."""
    place = (-at_s, ad_id)
    ranked = zip(exposure_rows(rows), ad_ids, strict=True)
    return next((index for index, (row, other) in enumerate(ranked) if (-row[2], other) > place), len(ad_ids))


def _without_least(rows: bytes, moment: Moment) -> bytes:
    """Where there are too many, drop the one of the least weight now; of equals the one that was there first."""
    if len(rows) <= MAX_DESTINATIONS * _DESTINATION_SIZE:
        return rows
    ranked = (
        (weight * faded(moment.now_s - updated_s, moment.half_life.destination), updated_s, index)
        for index, (_, weight, updated_s) in enumerate(DESTINATION.iter_unpack(rows))
    )
    at = min(ranked)[-1] * _DESTINATION_SIZE
    return rows[:at] + rows[at + _DESTINATION_SIZE :]
