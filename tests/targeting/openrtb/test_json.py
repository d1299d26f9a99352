"""The JSON of bid requests: what is refused and where, and that what is kept comes out as it went in."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.openrtb.fields import check_fields
from targeting.openrtb.json import (
    MAX_BRACKETS,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_DIGITS,
    BidRequestRefused,
    array_members,
    members,
    read_json,
    write_json,
)
from targeting.openrtb.json_errors import diagnose

LEAST = b'{"id":"1","imp":[{"id":"1"}]'


def nested(levels: int) -> bytes:
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def alternating(levels: int) -> bytes:
    """Objects in arrays in objects: of these one round of looking takes away two levels."""
    pairs = levels // 2
    return b'{"a":[' * pairs + b"{}" * (levels % 2) + b"]}" * pairs


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(b"", "$: is not JSON", id="nothing"),
        pytest.param(b"[]", "$: must be an object", id="an array"),
        pytest.param(b'"x"', "$: must be an object", id="a string"),
        pytest.param(b"null", "$: must be an object", id="null"),
        pytest.param(b'{"id":"1"', "$: is not JSON", id="cut off"),
        pytest.param(b'{"id":"1"} {}', "$: is followed by something else", id="two documents"),
        pytest.param(b'{"id":"1",}', "$: is not JSON", id="a comma too many"),
        pytest.param(b'{"id" "1"}', "$.id: is not JSON", id="no colon"),
        pytest.param(b'{"imp":[{"id":1 2}]}', "$.imp[0]: is not JSON", id="no comma"),
        pytest.param(b"{id:1}", "$: is not JSON", id="a bare name"),
        pytest.param(b"\xef\xbb\xbf{}", "$: is not JSON", id="a byte order mark"),
        pytest.param('{"id":"1"}'.encode("utf-16"), "$: is not JSON", id="UTF-16"),
        pytest.param(b'{"device":{"ua":"\xff"}}', "$.device.ua: is not UTF-8", id="no UTF-8"),
        pytest.param(b'{"\xff":1}', "$: is not UTF-8", id="a name in no UTF-8"),
        pytest.param(b'{"id":"\\ud800"}', "$.id: holds half a surrogate pair", id="half a pair"),
        pytest.param(b'{"id":"\\ud800x\\udc00"}', "$.id: holds half a surrogate pair", id="two halves apart"),
        pytest.param(b'{"id":"\x01"}', "$.id: is not JSON", id="a control character"),
        pytest.param(b'{"id":"\\x41"}', "$.id: is not JSON", id="an unknown escape"),
        pytest.param(b'{"tmax":NaN}', "$.tmax: is not JSON", id="NaN"),
        pytest.param(b'{"tmax":-Infinity}', "$.tmax: is not JSON", id="minus infinity"),
        pytest.param(b'{"tmax":01}', "$.tmax: is not JSON", id="a leading zero"),
        pytest.param(
            b'{"imp":[{"id":"1","bidfloor":1e400}]}', "$.imp[0].bidfloor: is out of the range of numbers", id="1e400"
        ),
        pytest.param(b'{"site":{"ext":{"x":-1e400}}}', "$.site.ext.*: is out of the range of numbers", id="-1e400"),
        pytest.param(b'{"tmax":' + b"9" * 5000 + b"}", "$.tmax: is out of the range of numbers", id="5000 digits"),
        pytest.param(b'{"user":{"id":"a","id":"b"}}', "$.user.id: is there twice", id="a name twice"),
        pytest.param(b'{"user":{"id":"a","i\\u0064":"b"}}', "$.user.id: is there twice", id="a name twice, escaped"),
        pytest.param(
            b'{"a":"\\u003a","user":{"id":"a","id":"b"}}', "$.user.id: is there twice", id="twice, beside a colon"
        ),
        pytest.param(b'{"site":{"ext":{"x":{"y":1,"y":1}}}}', "$.site.ext.*.*: is there twice", id="twice, deep"),
        pytest.param(
            nested(MAX_DEPTH + 1), f"$.*{'[0]' * (MAX_DEPTH - 1)}: is nested deeper than 32 levels", id="33 levels"
        ),
        pytest.param(alternating(33), f"${'.*[0]' * 16}: is nested deeper than 32 levels", id="33 of both kinds"),
        pytest.param(alternating(40), f"${'.*[0]' * 16}: is nested deeper than 32 levels", id="40 of both kinds"),
        pytest.param(b"[" * MAX_BRACKETS, f"${'[0]' * MAX_DEPTH}: is nested deeper than 32 levels", id="25,000 levels"),
        pytest.param(b"[" * (MAX_BRACKETS + 1), "$: at most 25000 opening brackets are taken", id="25,001 levels"),
        pytest.param(
            b'{"x":[' + b"{}," * MAX_BRACKETS, "$: at most 25000 opening brackets are taken", id="25,001 objects"
        ),
        pytest.param(
            b'{"site":{"ext":{"x":[1,' + b"7" * (MAX_DIGITS + 1) + b"]}}}",
            "$.site.ext.*[1]: is out of the range of numbers",
            id="1,001 digits",
        ),
        pytest.param(
            b'{"device":{"geo":{"lat":1.' + b"0" * (MAX_DIGITS + 1) + b"}}}",
            "$.device.geo.lat: is out of the range of numbers",
            id="1,001 decimals",
        ),
        pytest.param(
            b'{"tmax":1e-' + b"0" * (MAX_DIGITS + 1) + b"1}",
            "$.tmax: is out of the range of numbers",
            id="an exponent of 1,002 digits",
        ),
        pytest.param(
            b'{"id":"' + b"7" * (MAX_DIGITS + 1) + b'"}',
            "$: holds more than 1000 digits in a row",
            id="1,001 digits in a text",
        ),
        pytest.param(b" " * (MAX_BYTES + 1), "$: at most 262144 bytes are taken", id="too large"),
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
    ("fields", "complaint"),
    [
        (b',"tmax":"5"', "$.tmax: must be a whole number, not a string"),
        (b',"tmax":5.0', "$.tmax: must be a whole number, not a number"),
        (b',"tmax":null', "$.tmax: must be a whole number, not null"),
        (b',"test":true', "$.test: must be a whole number, not true or false"),
        (b',"site":[]', "$.site: must be an object, not an array"),
        (b',"cur":"USD"', "$.cur: must be an array, not a string"),
        (b',"cur":["USD",1]', "$.cur[1]: must be a string, not a whole number"),
        (b',"user":{"eids":[{"uids":[{"id":7}]}]}', "$.user.eids[0].uids[0].id: must be a string, not a whole number"),
        (b',"device":{"geo":{"lat":"x"}}', "$.device.geo.lat: must be a number, not a string"),
        (b',"regs":{"ext":1}', "$.regs.ext: must be an object, not a whole number"),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_type_is_refused(fields: bytes, complaint: str) -> None:
    with pytest.raises(BidRequestRefused) as refused:
        check_fields(read_json(LEAST + fields + b"}"))
    assert str(refused.value) == complaint


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"{}", "$.id: is required"),
        (b'{"id":"1"}', "$.imp: is required"),
        (b'{"id":"1","imp":[]}', "$.imp: must hold between 1 and 256 impressions"),
        (b'{"id":"1","imp":[{}]}', "$.imp[0].id: is required"),
        (
            b'{"id":"1","imp":[' + b",".join([b'{"id":"1"}'] * 257) + b"]}",
            "$.imp: must hold between 1 and 256 impressions",
        ),
        (
            b'{"id":"1","imp":[{"id":"1","bidfloor":1' + b"0" * 400 + b"}]}",
            "$.imp[0].bidfloor: is out of the range of numbers",
        ),
        (
            b'{"id":"1","imp":[{"id":"1"}],"device":{"geo":{"lat":-1' + b"0" * 400 + b"}}}",
            "$.device.geo.lat: is out of the range of numbers",
        ),
    ],
)
def test_a_field_without_which_no_bid_request_is_valid_is_required(text: bytes, complaint: str) -> None:
    with pytest.raises(BidRequestRefused) as refused:
        check_fields(read_json(text))
    assert str(refused.value) == complaint


@pytest.mark.parametrize(
    ("places", "complaint"),
    [
        pytest.param(("site",), None, id="a site"),
        pytest.param(("app",), None, id="an app"),
        pytest.param(("dooh",), None, id="a screen outdoors"),
        pytest.param(("site", "app"), "$.app: must not be there beside site", id="a site and an app"),
        pytest.param(("app", "site"), "$.app: must not be there beside site", id="an app and a site"),
        pytest.param(("site", "dooh"), "$.dooh: must not be there beside site", id="a site and a screen"),
        pytest.param(("app", "dooh"), "$.dooh: must not be there beside app", id="an app and a screen"),
        pytest.param(("site", "app", "dooh"), "$.app: must not be there beside site", id="all three"),
    ],
)
def test_an_ad_is_shown_in_one_kind_of_place(places: tuple[str, ...], complaint: str | None) -> None:
    request = {"id": "1", "imp": [{"id": "1"}], **{place: {} for place in places}}
    if complaint is None:
        check_fields(request)
    else:
        with pytest.raises(BidRequestRefused) as refused:
            check_fields(request)
        assert str(refused.value) == complaint


@pytest.mark.parametrize(
    "fields",
    [
        b',"regs":{"coppa":"yes","gdpr":[],"gpp_sid":"7","us_privacy":1}',
        b',"user":{"consent":1}',
        b',"device":{"dnt":"0","lmt":true,"ip":1,"ipv6":{},"language":1,"geo":{"country":1}}',
    ],
)
def test_a_signal_of_the_wrong_type_is_no_reason_to_refuse(fields: bytes) -> None:
    check_fields(read_json(LEAST + fields + b"}"))


def test_a_refusal_holds_no_value_and_no_name_of_the_senders() -> None:
    for text in (b'{"user":{"secret":{"secret":1,"secret":2}}}', b'{"id":"secret","tmax":"secret","imp":[{"id":"1"}]}'):
        with pytest.raises(BidRequestRefused) as refused:
            check_fields(read_json(text))
        assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "value",
    ["1.10", "1e2", "1E+2", "-0", "-0.0", "123456789012345678901234567890", "0.1000000000000000055511151231257827",
     '"\\u00e9\\/\\n"', '"\\ud83d\\ude00"', '"😀\u2028é"', "[ 1 , 2.50 ]", '{ "b" : 1.0, "a" : [] }'],
)  # fmt: skip
def test_what_is_kept_comes_out_byte_for_byte(value: str) -> None:
    text = f'{{"id":"1","imp":[{{"x":{value}}}],"a":{value}}}'.encode()
    kept = members(text)
    again = write_json({**kept, "imp": array_members(kept["imp"])})
    assert again == text


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
        with pytest.raises(BidRequestRefused, match="is there twice"):
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


def test_a_text_that_another_reader_refused_is_refused_even_if_nothing_is_found() -> None:
    assert str(diagnose(b"{}", "is not JSON")) == "$: is not JSON"


FAULTS = [
    pytest.param(b'{"a":1,"a":2}', "has a name twice in one object", id="a name twice"),
    pytest.param(b"[" * 33 + b"]" * 33, "is nested deeper than 32 levels", id="too deep"),
    pytest.param(b"nope", "is not JSON", id="no JSON"),
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
