"""The fields of a bid request: those of another type are left out, and what cannot be understood is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.openrtb.fields import check_impressions, is_well_typed, select_well_typed
from targeting.openrtb.json import BidRequestRefused
from targeting.openrtb.schema import OBJECTS
from tests.targeting.openrtb.openrtb_tables import validate

Json = dict[str, Any]
LEAST: Json = {"id": "1", "imp": [{"id": "1"}]}


@pytest.mark.parametrize(
    ("fields", "selected"),
    [
        pytest.param({"tmax": "5"}, {}, id="a text for a whole number"),
        pytest.param({"tmax": 5.5}, {}, id="a fraction for a whole number"),
        pytest.param({"tmax": 5.0}, {"tmax": 5}, id="a whole number with a point"),
        pytest.param({"tmax": None}, {}, id="null for a whole number"),
        pytest.param({"test": True}, {}, id="a boolean for a whole number"),
        pytest.param({"site": []}, {}, id="an empty array for an object"),
        pytest.param({"site": [{}]}, {}, id="an array for an object"),
        pytest.param({"site": "x"}, {}, id="a text for an object"),
        pytest.param({"site": {"page": 1, "name": "x"}}, {"site": {"name": "x"}}, id="a number for a text"),
        pytest.param({"site": {"content": {"len": "9"}}}, {"site": {"content": {}}}, id="a text, two levels down"),
        pytest.param({"cur": "USD"}, {}, id="a text for an array"),
        pytest.param({"cur": ["USD", 1, None]}, {"cur": ["USD"]}, id="a number and null in an array of texts"),
        pytest.param({"source": {"schain": {"nodes": [1]}}}, {"source": {"schain": {"nodes": []}}}, id="no objects"),
        pytest.param({"device": {"geo": {"lat": "x", "lon": 1}}}, {"device": {"geo": {"lon": 1}}}, id="a text for lat"),
        pytest.param({"device": {"geo": {"lat": -(10**400)}}}, {"device": {"geo": {}}}, id="a number out of range"),
        pytest.param({"regs": {"ext": 1}}, {"regs": {}}, id="a number for an extension"),
        pytest.param({"site": {"x": 1, "page": 1}}, {"site": {}}, id="an unknown name beside it"),
        pytest.param({"id": 7}, {"id": None}, id="a number for the id"),
    ],
)  # fmt: skip
def test_a_field_of_another_type_is_left_out(fields: Json, selected: Json) -> None:
    assert not is_well_typed(LEAST | fields)
    expected = {name: value for name, value in (LEAST | selected).items() if value is not None}
    assert select_well_typed(LEAST | fields) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"regs": {"coppa": "yes", "gdpr": [], "gpp_sid": "7", "us_privacy": 1}},
        {"user": {"consent": 1, "yob": "1979"}},
        {"device": {"dnt": "0", "lmt": True, "ip": 1, "ipv6": {}, "language": 1, "geo": {"country": 1}}},
        {"imp": [{}]},
        {"site": {"ext": {"anything": None}}, "unknown": [None]},
    ],
    ids=["regs", "user", "device", "an impression without an id", "extensions and unknown names"],
)
def test_signals_and_extensions_have_no_type_here(fields: Json) -> None:
    assert is_well_typed(LEAST | fields)


@pytest.mark.parametrize("impressions", [None, {}, "x", [], [{"id": "1"}] * 257], ids=repr)
def test_a_request_without_impressions_or_with_too_many_is_refused(impressions: Any) -> None:
    with pytest.raises(BidRequestRefused, match=r"^\$\.imp: must contain 1 to 256 impressions$"):
        check_impressions({"id": "1", "imp": impressions})


def test_the_most_impressions_are_taken() -> None:
    check_impressions({"imp": [{"id": "1"}] * 256})


def test_a_request_of_which_no_impression_is_left_is_refused() -> None:
    with pytest.raises(BidRequestRefused, match="1 to 256 impressions"):
        select_well_typed({"imp": [1, None, "x"]})


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted({*OBJECTS["Imp"], *OBJECTS["Site"], *OBJECTS["User"]})), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(OBJECTS["BidRequest"])), anything, max_size=6))
def test_what_is_selected_has_the_types_of_the_specification_and_is_selected_again(request: Json) -> None:
    selected = select_well_typed(request | {"imp": [{"id": "1", "banner": request.get("site")}]})
    assert is_well_typed(selected)
    assert select_well_typed(selected) == selected
    # What is wrong with it then is what is missing, or said twice over, or a signal.
    assert not [
        fault
        for fault in validate(json.loads(json.dumps(selected)))
        if "not of type" in fault and not _is_signal(fault)
    ]


def _is_signal(fault: str) -> bool:
    field = fault.partition(":")[0].rpartition(".")[2].partition("[")[0]
    return any(kinds.get(field) == "any" for kinds in OBJECTS.values())
