"""From decisions to bytes of ``adtargeting.v1.DecideResponse``.

Protobuf defines that serialised parts of one message, put one after the other, are that message. So what repeats
between answers (reasons, places, demographics) is serialised once, by the generated classes, and kept; interests
and destinations of a whole batch are laid out by numpy. A test holds that the generated classes read and write
the very same bytes.
"""

from array import array
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from adtargeting.v1 import targeting_pb2 as pb
from numpy.typing import NDArray

from server.messages.enums import enum
from server.messages.wire_networks import limited_message, network_part, reason_numbers
from server.messages.wire_parts import LOW_BITS, SHORT, VARINTS, delimited, tag_of, varint
from targeting.decision import Decision
from targeting.features.batch import Demographics, Exposures, FeatureBatch, Interests, RankedColumn
from targeting.features.schema import DIMENSIONS, SCHEMA_NAME
from targeting.features.taxonomy import CODES
from targeting.model import LimitedFeatures
from targeting.reasons import Reasons
from targeting.records.profile import OUTSIDE_CODE

_REQUEST_ID_TAG = tag_of(pb.DecideResponse, "request_id")
_BEHAVIOURAL_TAG = tag_of(pb.DecideResponse, "behavioural")
_DECISION_TAG = tag_of(pb.PrepareBidRequestResponse, "decision")
_PREPARED_TAG = tag_of(pb.PrepareBidRequestResponse, "bid_requests")
_NETWORK_TAG = tag_of(pb.PreparedBidRequest, "network_id")
_TEXT_TAG = tag_of(pb.PreparedBidRequest, "bid_request")
_RESULTS_TAG = tag_of(pb.DecideBatchResponse, "results")
_RESULT_TAG = tag_of(pb.DecideBatchResult, "response")
_EXPOSURES_TAG = tag_of(pb.BehaviouralFeatures, "exposures")
_AD_TAG = tag_of(pb.Exposure, "ad_id")
_COUNT_TAG = tag_of(pb.Exposure, "count")
_AGE_TAG = tag_of(pb.Exposure, "last_seen_age_s")
# A destination of nine bytes: a country of two characters, and a share (float32).
_DESTINATION_ROW = np.dtype([("head", "<u4"), ("country", "<u2"), ("tag", "u1"), ("share", "<f4")])
_DESTINATION_START = (
    tag_of(pb.BehaviouralFeatures, "call_destinations") + b"\x09" + tag_of(pb.CallDestination, "country") + b"\x02"
)
_DESTINATION_HEAD = int.from_bytes(_DESTINATION_START, "little")
_SHARE = tag_of(pb.CallDestination, "share")
_SHARE_TAG = _SHARE[0]
_SCHEMA = pb.BehaviouralFeatures(vector_schema=SCHEMA_NAME).SerializeToString()

_Parts: TypeAlias = tuple[bytes, ...]


def responses(decisions: Sequence[Decision]) -> list[bytes]:
    """Serialise decisions, each as a ``DecideResponse``."""
    encoded: dict[int, list[_Parts]] = {}
    answers = []
    for request_id, mode, reasons, limited, behavioural, networks, co_brand, version in decisions:
        parts = [_request_id(request_id), _mode_and_reasons(mode, reasons), _limited(limited)]
        if behavioural is not None:
            batch = behavioural.batch
            # People who were decided together are encoded together.
            features = encoded.get(id(batch)) or encoded.setdefault(id(batch), _behavioural(batch))
            parts += features[behavioural.index]
        if networks:
            parts += map(network_part, networks)
        parts.append(_closing(co_brand, version))
        answers.append(b"".join(parts))
    return answers


def batch_response(results: Sequence[bytes]) -> bytes:
    """Put the results (see ``result`` and ``error``) into a ``DecideBatchResponse``."""
    return b"".join([delimited(_RESULTS_TAG, each) for each in results])


def result(response: bytes) -> bytes:
    """Put a serialised ``DecideResponse`` into a ``DecideBatchResult``."""
    return delimited(_RESULT_TAG, response)


def prepared(decision: bytes, bid_requests: Sequence[tuple[str, bytes]]) -> bytes:
    """Return the ``PrepareBidRequestResponse`` of a serialised ``DecideResponse`` and of bid requests by network."""
    parts = [delimited(_DECISION_TAG, decision)]
    for name, text in bid_requests:
        parts.append(delimited(_PREPARED_TAG, delimited(_NETWORK_TAG, name.encode()) + delimited(_TEXT_TAG, text)))
    return b"".join(parts)


def error(code: int, field: str, message: str) -> bytes:
    """Return the ``DecideBatchResult`` of a refused item."""
    return pb.DecideBatchResult(error=pb.DecideBatchError(code=code, field=field, message=message)).SerializeToString()


def _request_id(request_id: str) -> bytes:
    return delimited(_REQUEST_ID_TAG, request_id.encode()) if request_id else b""


@lru_cache(maxsize=4096)
def _mode_and_reasons(mode: int, reasons: Reasons) -> bytes:
    return pb.DecideResponse(mode=enum(mode), reasons=reason_numbers(reasons)).SerializeToString()


@lru_cache(maxsize=65_536)
def _limited(limited: LimitedFeatures) -> bytes:
    return pb.DecideResponse(limited=limited_message(limited)).SerializeToString()


@lru_cache(maxsize=1024)
def _closing(co_brand: str, policy_version: str) -> bytes:
    return pb.DecideResponse(co_brand=co_brand, policy_version=policy_version).SerializeToString()


def _behavioural(batch: FeatureBatch) -> list[_Parts]:
    """Serialise features, each person's as the parts of a ``BehaviouralFeatures`` in its field."""
    interests = _interests(batch.interests, batch.outside_names)
    destinations, exposures = _destinations(batch.destinations), _exposures(batch.exposures)
    answers: list[_Parts] = []
    for declared, strongest, largest, seen, vector in zip(
        map(_demographics, batch.demographics), interests, destinations, exposures, batch.vectors, strict=True
    ):
        size = len(declared) + len(strongest) + len(largest) + len(seen) + _REST
        answers.append(
            (_BEHAVIOURAL_TAG, varint(size), declared, strongest, largest, seen, _VECTOR_HEAD, vector, _SCHEMA)
        )
    return answers


@lru_cache(maxsize=16_384)
def _demographics(demographics: Demographics) -> bytes:
    message = pb.Demographics(
        age_bracket=enum(demographics.age_bracket),
        gender=enum(demographics.gender),
        occupation=demographics.occupation,
        postal_prefix=demographics.postal_prefix,
    )
    return pb.BehaviouralFeatures(demographics=message).SerializeToString()


def _exposures(shown: Exposures) -> list[bytes]:
    """Serialise ads of at most ``_MOST_ID`` bytes, how often each was seen, and how long ago."""
    parts: list[bytes] = []
    for ad_id, count, age_s in zip(shown.ad_ids, shown.counts, shown.ages, strict=True):
        often = _COUNTS[count] if count < _FEW else _COUNT_TAG + varint(count)
        # Nearly always that is some hours to some years: one case is worth writing out.
        usual = SHORT <= age_s < SHORT * SHORT
        ago = _AGE_BEGINNINGS[age_s & SHORT - 1] + VARINTS[age_s >> 14] if usual else _ago(age_s)
        parts += (_EXPOSURE_HEADS[len(ad_id)][len(often) + len(ago)], ad_id, often, ago)
    return [b"".join(parts[4 * start : 4 * end]) for start, end in pairwise(shown.bounds)]


def _ago(age_s: int) -> bytes:
    return _AGE_TAG + varint(age_s) if age_s else b""


# Fields 2 and 3 of an exposure; zero is left out, as everywhere.
_FEW = 0x1000
_COUNTS = [b"", *(_COUNT_TAG + varint(count) for count in range(1, _FEW))]
_MOST_AFTER_ID = 4 + 6
_AGE_BEGINNINGS = [_AGE_TAG + low for low in LOW_BITS]
_MOST_ID = 128
# What stands before an ad's id, by its length and by the bytes that follow it (two numbers).
_EXPOSURE_HEADS = [
    [
        _EXPOSURES_TAG + varint(len(_AD_TAG + varint(size)) + size + rest) + _AD_TAG + varint(size)
        for rest in range(_MOST_AFTER_ID + 1)
    ]
    for size in range(_MOST_ID + 1)
]


def _interest_rows() -> tuple[NDArray[np.void], NDArray[np.bool_]]:
    """Serialise an interest for every code of the taxonomy, with a score to be filled in: its last four bytes.

    Rows are filled up in front, so that all scores stand in one column; the mask tells which bytes are the interest's.
    """
    parts = [
        pb.BehaviouralFeatures(interests=[pb.Interest(segment_id=str(code), score=1.0)]).SerializeToString()
        for code in range(CODES)
    ]
    width = max(map(len, parts))
    row = np.dtype([("head", "V", width - 4), ("score", "<f4")])
    sizes = np.array([len(part) for part in parts])
    rows = np.frombuffer(b"".join(part.rjust(width, b"\0") for part in parts), row)
    return rows, np.arange(width) >= width - sizes[:, None]


_VECTOR_HEAD = tag_of(pb.BehaviouralFeatures, "vector") + varint(DIMENSIONS * 4)
_REST = len(_VECTOR_HEAD) + DIMENSIONS * 4 + len(_SCHEMA)
"""Bytes of what is as long for everybody: vector and schema."""
_ROWS, _IS_FILLED = _interest_rows()
_SIZES = _IS_FILLED.sum(axis=1)
_INTEREST_HEADS = [row.tobytes()[-size:-4] for row, size in zip(_ROWS, _SIZES.tolist(), strict=True)]
"""The same without the score, for a few people."""


def _interests(column: RankedColumn, outside_names: Sequence[tuple[str, ...]]) -> list[bytes]:
    codes, scores, bounds = column
    if isinstance(codes, array):
        return _few_interests(column, outside_names)
    if codes.max(initial=0) >= OUTSIDE_CODE:
        return [
            _named_interests(Interests(codes[start:end], scores[start:end], names))
            for (start, end), names in zip(pairwise(bounds), outside_names, strict=True)
        ]
    # ``take`` is several times as fast as an index.
    rows = _ROWS.take(codes)
    rows["score"] = scores
    data = rows.view(np.uint8)[_IS_FILLED.take(codes, axis=0).reshape(-1)].tobytes()
    ends = np.zeros(len(codes) + 1, np.intp)
    _SIZES.take(codes).cumsum(out=ends[1:])
    return [data[start:end] for start, end in pairwise(ends.take(bounds).tolist())]


def _few_interests(column: RankedColumn, outside_names: Sequence[tuple[str, ...]]) -> list[bytes]:
    codes, scores, bounds = column
    if max(codes, default=0) >= OUTSIDE_CODE:
        return [
            _named_interests(Interests(codes[start:end], scores[start:end], names))
            for (start, end), names in zip(pairwise(bounds), outside_names, strict=True)
        ]
    written = scores.tobytes()
    parts = [_INTEREST_HEADS[code] + written[4 * index : 4 * index + 4] for index, code in enumerate(codes)]
    return [b"".join(parts[start:end]) for start, end in pairwise(bounds)]


def _named_interests(interests: Interests) -> bytes:
    return pb.BehaviouralFeatures(
        interests=[pb.Interest(segment_id=name, score=score) for name, score in interests.named()]
    ).SerializeToString()


def _destinations(column: RankedColumn) -> list[bytes]:
    countries, shares, bounds = column
    if isinstance(countries, array):
        written = shares.tobytes()
        parts = [
            _DESTINATION_START + country.to_bytes(2, "little") + _SHARE + written[4 * index : 4 * index + 4]
            for index, country in enumerate(countries)
        ]
        return [b"".join(parts[start:end]) for start, end in pairwise(bounds)]
    rows = np.empty(len(countries), _DESTINATION_ROW)
    rows["head"], rows["country"] = _DESTINATION_HEAD, countries
    rows["tag"], rows["share"] = _SHARE_TAG, shares
    data, size = rows.tobytes(), _DESTINATION_ROW.itemsize
    return [data[start * size : end * size] for start, end in pairwise(bounds)]
