"""The check of bid requests against the tables of OpenRTB 2.6."""

import copy
from typing import Any

import pytest

from targeting.openrtb.schema import OBJECTS, element_of
from targeting.policy.networks import EXTENSIBLE_OBJECTS
from tests.targeting.openrtb.openrtb_tables import TABLES, validate

MINIMAL: dict[str, Any] = {"id": "1", "imp": [{"id": "1", "banner": {}}]}


def changed(path: str, value: object) -> dict[str, Any]:
    """The minimal request with one thing set; the path is dotted, a number steps into a list."""
    request = copy.deepcopy(MINIMAL)
    target: Any = request
    *parents, last = path.split(".")
    for key in parents:
        target = target[int(key)] if isinstance(target, list) else target.setdefault(key, {})
    target[last] = value
    return request


def test_the_least_that_a_bid_request_needs() -> None:
    assert validate(MINIMAL) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("user.eids", [{"source": "id.example.com", "uids": [{"id": "a", "atype": 1}]}]),
        ("device.sua.browsers", [{"brand": "Chromium", "version": ["124", "0"]}]),
        ("device.sua.platform", {"brand": "Android", "version": ["14"]}),
        ("device.geo.lat", 51),
        ("device.geo.lat", 51.5),
        ("device.didsha1", "deprecated, and still a field"),
        (
            "source.schain",
            {"complete": 1, "ver": "1.0", "nodes": [{"asi": "example.com", "sid": "1", "hp": 1}]},
        ),
        ("regs.gpp_sid", []),
        ("user.ext", {"anything": [{"at": {"all": None}}]}),
        ("dooh", {"venuetype": ["airport"], "content": {"network": {"id": "1"}}}),
    ],
)
def test_valid_values(path: str, value: object) -> None:
    assert validate(changed(path, value)) == []


@pytest.mark.parametrize(
    ("path", "value", "violation"),
    [
        ("imp.0.banner.w", "300", "$.imp[0].banner.w: not of type integer"),
        ("imp.0.banner.w", 300.5, "$.imp[0].banner.w: not of type integer"),
        ("imp.0.secure", True, "$.imp[0].secure: not of type integer"),
        ("imp.0.bidfloor", "1.0", "$.imp[0].bidfloor: not of type float"),
        ("imp.0.bidfloor", False, "$.imp[0].bidfloor: not of type float"),
        ("imp.0.banner.format", {"w": 1}, "$.imp[0].banner.format: not an array"),
        ("imp.0.banner.format", [{"w": 1}, 2], "$.imp[0].banner.format[1]: not of type object"),
        ("imp.0.video", {}, "$.imp[0].video.mimes: missing"),
        ("imp.0.native", {"ver": "1.2"}, "$.imp[0].native.request: missing"),
        ("imp.0.ext", [], "$.imp[0].ext: not of type object"),
        ("imp", [], "$.imp: empty"),
        ("imp", [{"id": "1"}], "$.imp[0]: none of banner, video, audio, native"),
        ("tmax", None, "$.tmax: not of type integer"),
        ("user.age", 30, "$.user.age: not a field of User"),
        ("user.data", [{"segment": [{"id": 7}]}], "$.user.data[0].segment[0].id: not of type string"),
        ("user.eids", [{"uids": [{"idd": "a"}]}], "$.user.eids[0].uids[0].idd: not a field of UID"),
        ("device", {"language": "en", "langb": "en-GB"}, "$.device: only one of language, langb"),
        ("device.sua.browsers", [{}], "$.device.sua.browsers[0].brand: missing"),
        ("regs.gpp_sid", ["7"], "$.regs.gpp_sid[0]: not of type integer"),
        ("source.schain", {"complete": 1, "nodes": []}, "$.source.schain.ver: missing"),
    ],
)
def test_a_violation_is_named_by_its_path(path: str, value: object, violation: str) -> None:
    assert validate(changed(path, value)) == [violation]


def test_every_violation_is_found() -> None:
    assert validate({"site": {}, "app": {}, "dooh": {}}) == [
        "$.id: missing",
        "$.imp: missing",
        "$: only one of site, app, dooh",
    ]


@pytest.mark.parametrize("document", [None, [], "{}", 1, True])
def test_what_is_not_an_object_is_no_bid_request(document: object) -> None:
    assert validate(document) == ["$: not of type object"]


def test_unknown_fields_may_be_tolerated_as_receivers_must() -> None:
    request = changed("user.age", 30)
    assert validate(request, unknown_allowed=True) == []
    assert validate({**request, "tmax": "1"}, unknown_allowed=True) == ["$.tmax: not of type integer"]


def test_a_violation_does_not_repeat_the_value() -> None:
    assert "secret" not in str(validate(changed("user", {"id": ["secret"], "yob": "secret", "geo": "secret"})))


def test_the_tables_are_whole() -> None:
    objects = TABLES["objects"]
    assert len(objects) == 35
    assert all(fields["ext"] == {"type": "object"} for fields in objects.values())
    referred = {field["object"] for fields in objects.values() for field in fields.values() if "object" in field}
    assert referred == set(objects) - {TABLES["root"]}
    for rules in (TABLES["exclusive"], TABLES["any_of"]):
        assert all(key in objects[name] for name, groups in rules.items() for group in groups for key in group)


def test_the_policy_may_extend_exactly_the_objects_that_are_sent() -> None:
    sent, found = {"Source", "App", "Site", "DOOH", "Imp"}, set[str]()
    while sent != found:
        found = set(sent)
        sent |= {element_of(kind) for name in found for kind in OBJECTS[name].values()} & OBJECTS.keys()
    assert {name.casefold() for name in sent - {"Imp"}} == set(EXTENSIBLE_OBJECTS)


def test_the_service_checks_against_the_same_tables() -> None:
    """But for the signals, whose type is none of a refusal's reasons, and for what only receivers must insist on."""
    types = {"string": "str", "integer": "int", "float": "float", "object": "object"}
    for name, fields in TABLES["objects"].items():
        assert list(OBJECTS[name]) == list(fields)
        for key, field in fields.items():
            kind = field.get("object", types[field["type"]])
            wanted = f"[{kind}]" if field.get("array") else kind
            assert OBJECTS[name][key] in {wanted, "any"}
    assert OBJECTS.keys() == TABLES["objects"].keys()
    signals = {(name, key) for name, fields in OBJECTS.items() for key, kind in fields.items() if kind == "any"}
    assert signals == {
        *(("Regs", key) for key in ("coppa", "gdpr", "us_privacy", "gpp", "gpp_sid")),
        *(("Device", key) for key in ("dnt", "lmt", "ip", "ipv6", "language", "langb")),
        *(("User", key) for key in ("consent", "yob")),
        ("Geo", "country"),
    }
