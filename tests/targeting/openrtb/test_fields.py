"""The fields of a bid request: which types are accepted, and what is refused."""

import pytest

from targeting.openrtb.fields import check_fields
from targeting.openrtb.json import BidRequestRefused, read_json

LEAST = b'{"id":"1","imp":[{"id":"1"}]'


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
        (b'{"id":"1","imp":[]}', "$.imp: must contain 1 to 256 impressions"),
        (b'{"id":"1","imp":[{}]}', "$.imp[0].id: is required"),
        (
            b'{"id":"1","imp":[' + b",".join([b'{"id":"1"}'] * 257) + b"]}",
            "$.imp: must contain 1 to 256 impressions",
        ),
        (
            b'{"id":"1","imp":[{"id":"1","bidfloor":1' + b"0" * 400 + b"}]}",
            "$.imp[0].bidfloor: must be a number within the range of a double",
        ),
        (
            b'{"id":"1","imp":[{"id":"1"}],"device":{"geo":{"lat":-1' + b"0" * 400 + b"}}}",
            "$.device.geo.lat: must be a number within the range of a double",
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
        pytest.param(
            ("site", "app"), "$.app: must not be present beside site; send one of them", id="a site and an app"
        ),
        pytest.param(
            ("app", "site"), "$.app: must not be present beside site; send one of them", id="an app and a site"
        ),
        pytest.param(
            ("site", "dooh"), "$.dooh: must not be present beside site; send one of them", id="a site and a screen"
        ),
        pytest.param(
            ("app", "dooh"), "$.dooh: must not be present beside app; send one of them", id="an app and a screen"
        ),
        pytest.param(
            ("site", "app", "dooh"), "$.app: must not be present beside site; send one of them", id="all three"
        ),
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
