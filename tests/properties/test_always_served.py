"""Junk in place of any member limits or is left out: an ad is served, and the requests sent are valid."""

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.errors import InvalidRequest
from targeting.openrtb.schema import OBJECTS
from tests.targeting.openrtb.openrtb_tables import validate
from tests.targeting.openrtb.preparing import EXAMPLES, Json, asking, prepare

JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 7, 1.5, 1e300, 10**30, "", "0", "1", "x", "\ud800", "\ufeff"),
    *([], [[]], [None], [0], ["x"], [{}], {}, {"x": 1}, {"ext": []}, {"id": {}}),
)
NETWORKS = ("house", "acme", "stranger")


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every member and item of a request."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from paths(inner, (*path, key))


def with_junk(example: Json, random: Random) -> Json:
    """An example with junk in one to three places."""
    request = copy.deepcopy(example)
    for path in random.sample(list(paths(example)), random.randrange(1, 4)):
        *above, last = path
        target: Any = request
        for key in above:
            target = target[key] if isinstance(target, dict | list) and _has(target, key) else None
        if isinstance(target, dict) or (isinstance(target, list) and _has(target, last)):
            target[last] = copy.deepcopy(random.choice(JUNK))
    return request


def _has(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else isinstance(key, int) and key < len(holder)


def is_signal(fault: str) -> bool:
    """Whether a fault is about a flag that is also sent as another single bit."""
    field = fault.partition(":")[0].rpartition(".")[2]
    return any(fields.get(field) == "any" for fields in OBJECTS.values())


def has_impressions(request: Json) -> bool:
    impressions = request.get("imp")
    return isinstance(impressions, list) and any(isinstance(each, dict) for each in impressions)


@pytest.mark.parametrize("seed", range(8))
def test_junk_in_any_place_refuses_nothing_but_a_request_without_impressions(seed: int) -> None:
    random = Random(seed)
    for _ in range(150):
        name = random.choice(list(EXAMPLES))
        request = with_junk(EXAMPLES[name], random)
        call = asking(json.dumps(request).encode(), NETWORKS)
        if not has_impressions(request):
            with pytest.raises(InvalidRequest, match="impressions"):
                prepare(call)
            continue
        prepared = prepare(call)
        assert prepared.decision.mode in {pb.MODE_LIMITED, pb.MODE_BEHAVIOURAL}
        for sent in prepared.bid_requests.values():
            # A required member that was junk is left out, too.
            assert not [fault for fault in validate(sent) if "not " in fault and not is_signal(fault)], name


@pytest.mark.parametrize("name", ["regs", "user", "device"])
def test_junk_in_place_of_an_object_with_signals_limits(name: str) -> None:
    for junk in JUNK:
        request = EXAMPLES["web-multi-format-no-regime"] | {name: junk}
        mode = prepare(asking(json.dumps(request).encode(), NETWORKS)).decision.mode
        is_absent = junk is None or junk == [] or isinstance(junk, dict)
        assert is_absent or mode == pb.MODE_LIMITED, junk


def test_what_is_no_bid_request_is_refused() -> None:
    for text in (b"", b"x", b"[]", b'"x"', b"{}", b'{"imp":[]}', b'{"imp":{}}', b'{"imp":[1]}'):
        with pytest.raises(InvalidRequest, match=r"JSON|object|impressions"):
            prepare(asking(text, NETWORKS))
