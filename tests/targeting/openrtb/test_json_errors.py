"""The search for a fault in a text is bounded, and its message says how far it got."""

import pytest

from targeting.openrtb.json import BidRequestRefused, read_json
from targeting.openrtb.json_errors import diagnose


def test_a_text_that_another_reader_refused_is_refused_even_if_nothing_is_found() -> None:
    assert str(diagnose(b"{}", "must be valid JSON")) == "$: must be valid JSON"


FAULTS = [
    pytest.param(b'{"a":1,"a":2}', "must not contain a name twice in one object", id="a name twice"),
    pytest.param(b"[" * 33 + b"]" * 33, "must not be nested deeper than 32 levels", id="too deep"),
    pytest.param(b"nope", "must be valid JSON", id="no JSON"),
]


@pytest.mark.parametrize(("fault", "problem"), FAULTS)
@pytest.mark.parametrize(
    ("before", "path"),
    [
        pytest.param(b'{"user":{"data":[' + b"1," * 2000, "$.user.data", id="in a long list"),
        pytest.param(b'{"user":{"ext":{"x":[' + b'{"a":1},' * 2000, "$.user.ext.*[498]", id="in a list of objects"),
        pytest.param(b'{"imp":[' + b"1," * 2000 + b'1],"user":{"data":[', "$.imp", id="behind a long list"),
    ],
)
def test_of_a_fault_far_into_a_text_is_said_how_far_the_search_came(
    before: bytes, path: str, fault: bytes, problem: str
) -> None:
    closing = b"".join(b"]" if each == ord("[") else b"}" for each in reversed(unclosed(before)))
    with pytest.raises(BidRequestRefused) as refused:
        read_json(before + fault + closing)
    assert str(refused.value) == f"{path}: {problem}, here or further on"


def unclosed(text: bytes) -> list[int]:
    """The brackets of a text without strings in them that nothing closes."""
    stack: list[int] = []
    for each in text:
        if each in b"[{":
            stack.append(each)
        elif each in b"]}":
            stack.pop()
    return stack
