"""The JSON of bid requests: what is refused and where, and that what is kept comes out as it went in."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.openrtb.json import (
    MAX_BRACKETS,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_DIGITS,
    BidRequestRefused,
    members,
    read_json,
    repair,
    write_json,
)


def nested(levels: int) -> bytes:
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def alternating(levels: int) -> bytes:
    """Objects in arrays in objects: of these one round of looking takes away two levels."""
    pairs = levels // 2
    return b'{"a":[' * pairs + b"{}" * (levels % 2) + b"]}" * pairs


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(b"", "$: must be valid JSON", id="nothing"),
        pytest.param(b"[]", "$: must be an object", id="an array"),
        pytest.param(b'"x"', "$: must be an object", id="a string"),
        pytest.param(b"null", "$: must be an object", id="null"),
        pytest.param(b'{"id":"1"', "$: must be valid JSON", id="cut off"),
        pytest.param(b'{"id":"1"} {}', "$: must not be followed by anything else", id="two documents"),
        pytest.param(b'{"id":"1",}', "$: must be valid JSON", id="a comma too many"),
        pytest.param(b'{"id" "1"}', "$.id: must be valid JSON", id="no colon"),
        pytest.param(b'{"imp":[{"id":1 2}]}', "$.imp[0]: must be valid JSON", id="no comma"),
        pytest.param(b"{id:1}", "$: must be valid JSON", id="a bare name"),
        pytest.param(b"\xef\xbb\xbf{}", "$: must be valid JSON", id="a byte order mark"),
        pytest.param('{"id":"1"}'.encode("utf-16"), "$: must be valid JSON", id="UTF-16"),
        pytest.param(b'{"device":{"ua":"\xff"}}', "$.device.ua: must be UTF-8", id="no UTF-8"),
        pytest.param(b'{"\xff":1}', "$: must be UTF-8", id="a name in no UTF-8"),
        pytest.param(b'{"id":"\x01"}', "$.id: must be valid JSON", id="a control character"),
        pytest.param(b'{"id":"\\x41"}', "$.id: must be valid JSON", id="an unknown escape"),
        pytest.param(b'{"tmax":NaN}', "$.tmax: must be valid JSON", id="NaN"),
        pytest.param(b'{"tmax":-Infinity}', "$.tmax: must be valid JSON", id="minus infinity"),
        pytest.param(b'{"tmax":01}', "$.tmax: must be valid JSON", id="a leading zero"),
        pytest.param(
            b'{"imp":[{"id":"1","bidfloor":1e400}]}',
            "$.imp[0].bidfloor: must be a number within the range of a double",
            id="1e400",
        ),
        pytest.param(
            b'{"site":{"ext":{"x":-1e400}}}', "$.site.ext.*: must be a number within the range of a double", id="-1e400"
        ),
        pytest.param(
            b'{"tmax":' + b"9" * 5000 + b"}", "$.tmax: must be a number within the range of a double", id="5000 digits"
        ),
        pytest.param(b'{"user":{"id":"a","id":"b"}}', "$.user.id: must not occur twice", id="a name twice"),
        pytest.param(
            b'{"user":{"id":"a","i\\u0064":"b"}}', "$.user.id: must not occur twice", id="a name twice, escaped"
        ),
        pytest.param(
            b'{"a":"\\u003a","user":{"id":"a","id":"b"}}', "$.user.id: must not occur twice", id="twice, beside a colon"
        ),
        pytest.param(b'{"site":{"ext":{"x":{"y":1,"y":1}}}}', "$.site.ext.*.*: must not occur twice", id="twice, deep"),
        pytest.param(
            nested(MAX_DEPTH + 1),
            f"$.*{'[0]' * (MAX_DEPTH - 1)}: must not be nested deeper than 32 levels",
            id="33 levels",
        ),
        pytest.param(
            alternating(33), f"${'.*[0]' * 16}: must not be nested deeper than 32 levels", id="33 of both kinds"
        ),
        pytest.param(
            alternating(40), f"${'.*[0]' * 16}: must not be nested deeper than 32 levels", id="40 of both kinds"
        ),
        pytest.param(
            b"[" * MAX_BRACKETS, f"${'[0]' * MAX_DEPTH}: must not be nested deeper than 32 levels", id="25,000 levels"
        ),
        pytest.param(
            b"[" * (MAX_BRACKETS + 1), "$: must not contain more than 25000 opening brackets", id="25,001 levels"
        ),
        pytest.param(
            b'{"x":[' + b"{}," * MAX_BRACKETS,
            "$: must not contain more than 25000 opening brackets",
            id="25,001 objects",
        ),
        pytest.param(
            b'{"site":{"ext":{"x":[1,' + b"7" * (MAX_DIGITS + 1) + b"]}}}",
            "$.site.ext.*[1]: must be a number within the range of a double",
            id="1,001 digits",
        ),
        pytest.param(
            b'{"device":{"geo":{"lat":1.' + b"0" * (MAX_DIGITS + 1) + b"}}}",
            "$.device.geo.lat: must be a number within the range of a double",
            id="1,001 decimals",
        ),
        pytest.param(
            b'{"tmax":1e-' + b"0" * (MAX_DIGITS + 1) + b"1}",
            "$.tmax: must be a number within the range of a double",
            id="an exponent of 1,002 digits",
        ),
        pytest.param(
            b'{"id":"' + b"7" * (MAX_DIGITS + 1) + b'"}',
            "$: must not contain more than 1000 consecutive digits",
            id="1,001 digits in a text",
        ),
        pytest.param(b" " * (MAX_BYTES + 1), "$: must not exceed 262144 bytes", id="too large"),
    ],
)
def test_what_is_refused(text: bytes, complaint: str) -> None:
    with pytest.raises(BidRequestRefused) as refused:
        read_json(text)
    assert str(refused.value) == complaint


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(nested(MAX_DEPTH), id="32 levels"),
        pytest.param(alternating(MAX_DEPTH), id="32 levels of both kinds"),
        pytest.param(b'{"a":%b,"b":%b}' % ((b"[" * 31 + b"]" * 31,) * 2), id="32 levels twice"),
        pytest.param(b'{"a":"\\u003a\\\\u003a:"}', id="colons, escaped and not"),
        pytest.param(b'{"\\u003A":{"\\u003a":":"}}', id="names that are colons"),
        pytest.param(b'{"a":123456789012345678901234567890}', id="a large whole number"),
        pytest.param(b'{"a":' + b"7" * MAX_DIGITS + b"}", id="1,000 digits"),
        pytest.param(b'{"a":0.' + b"7" * MAX_DIGITS + b"}", id="1,000 decimals"),
        pytest.param(b'{"a":[' + b"{}," * (MAX_BRACKETS - 3) + b"{}]}", id="25,000 brackets"),
        pytest.param(b"{" + b" " * (MAX_BYTES - 2) + b"}", id="as large as it may be"),
        pytest.param(b'{"a":1e-400}', id="a number that rounds to zero"),
    ],
)
def test_what_is_taken(text: bytes) -> None:
    assert read_json(text) == json.loads(text)


@pytest.mark.parametrize(
    "value",
    ["1.10", "1e2", "1E+2", "-0", "-0.0", "123456789012345678901234567890", "0.1000000000000000055511151231257827",
     '"\\u00e9\\/\\n"', '"\\ud83d\\ude00"', '"😀\u2028é"', "[ 1 , 2.50 ]", '{ "b" : 1.0, "a" : [] }'],
)  # fmt: skip
def test_what_is_kept_comes_out_byte_for_byte(value: str) -> None:
    text = f'{{"id":"1","a":{value}}}'.encode()
    assert write_json(members(text)) == text


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        pytest.param(b"\xef\xbb\xbf{}", b"{}", id="a byte order mark"),
        pytest.param(rb'{"a":"\ud800"}', rb'{"a":"\ufffd"}', id="the first half"),
        pytest.param(rb'{"a":"\uDC00x"}', rb'{"a":"\ufffdx"}', id="the second half"),
        pytest.param(rb'{"a":"\ud800x\udc00"}', rb'{"a":"\ufffdx\ufffd"}', id="two halves apart"),
        pytest.param(rb'{"a":"\udc00\ud800"}', rb'{"a":"\ufffd\ufffd"}', id="two halves in the wrong order"),
        pytest.param(rb'{"a":"\ud83d\ud83d\ude00"}', rb'{"a":"\ufffd\ud83d\ude00"}', id="half a pair before a pair"),
        pytest.param(rb'{"a":"\ud83d\ude00"}', rb'{"a":"\ud83d\ude00"}', id="a pair"),
        pytest.param(rb'{"a":"\\ud800"}', rb'{"a":"\\ud800"}', id="a backslash before ud800"),
        pytest.param(rb'{"a":"\\\ud800"}', rb'{"a":"\\\ufffd"}', id="a backslash before half a pair"),
        pytest.param(b'{"a":"\xed\xa0\x80"}', '{"a":"\ufffd"}'.encode(), id="half a pair in bytes"),
        pytest.param('{"a":"\ud7ff"}'.encode(), '{"a":"\ud7ff"}'.encode(), id="the last character before the pairs"),
    ],
)
def test_a_byte_order_mark_and_half_a_surrogate_pair_are_repaired(text: bytes, repaired: bytes) -> None:
    assert repair(text) == repaired
    read_json(repaired)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(st.sampled_from("ab:"), inner), max_size=3).map(tuple)
    ),
    max_leaves=12,
)  # fmt: skip


def written(value: Any) -> str:
    """Write a value; a tuple is the members of an object, with names perhaps twice."""
    if isinstance(value, tuple):
        return "{" + ",".join(f"{json.dumps(name)}:{written(each)}" for name, each in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)


def repeats(value: Any) -> bool:
    if isinstance(value, tuple):
        return len(dict(value)) < len(value) or any(repeats(each) for _, each in value)
    return isinstance(value, list) and any(map(repeats, value))


@given(values.map(lambda value: (("root", value),)))
def test_a_name_that_is_there_twice_is_found_wherever_it_is(document: Any) -> None:
    text = written(document).encode()
    if repeats(document):
        with pytest.raises(BidRequestRefused, match="must not occur twice"):
            read_json(text)
    else:
        assert read_json(text) == json.loads(text)


@given(st.binary(max_size=40).map(lambda junk: b'{"a":' + junk + b"}"))
def test_junk_is_refused_or_read_as_any_reader_would(text: bytes) -> None:
    try:
        value = read_json(text)
    except BidRequestRefused:
        return
    assert value == json.loads(text)


ESCAPES = ("\\n", '\\"', "\\\\", "\\/", "\\u005b", "\\u005d", "[", "]", "{", "}", ":", ",")
texts_with_escapes = st.lists(st.sampled_from(ESCAPES), max_size=4).map("".join)


@given(st.integers(30, 40), st.lists(texts_with_escapes, min_size=2, max_size=2))
def test_escapes_neither_hide_nor_feign_depth(depth: int, around: list[str]) -> None:
    before, after = around
    text = f'{{"x":"{before}","y":{"[" * (depth - 1)}{"]" * (depth - 1)},"z":"{after}"}}'.encode()
    if depth > MAX_DEPTH:
        with pytest.raises(BidRequestRefused, match="nested deeper"):
            read_json(text)
    else:
        assert read_json(text) == json.loads(text)


depths = st.integers(1, 40)
brackets = st.sampled_from(["", "]", "}", "[{", '\\"', "\\\\", '\\\\\\"]', "}]}]", "\\u005b"])


@given(depth=depths, junk=brackets, in_arrays=st.booleans())
def test_brackets_inside_of_texts_neither_hide_nor_feign_depth(depth: int, junk: str, *, in_arrays: bool) -> None:
    opening, closing = (f'["{junk}",', "]") if in_arrays else (f'{{"{junk}":"{junk}","a":', "}")
    text = (f'{{"{junk}":' + opening * (depth - 1) + f'"{junk}"' + closing * (depth - 1) + "}").encode()
    if depth > MAX_DEPTH:
        with pytest.raises(BidRequestRefused, match="nested deeper"):
            read_json(text)
    else:
        assert read_json(text) == json.loads(text)
