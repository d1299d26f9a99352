"""What amounts to Limit Ad Tracking: an advertising id of zeros, and Apple's signals."""

import pytest

from tests.targeting.openrtb.test_signals import ZERO, Json, device, read

IOS: Json = {"os": "iOS", "ifa": "A1B2C3D4-0000-4000-8000-0000000E0002"}


@pytest.mark.parametrize(
    ("fields", "limits"),
    [
        pytest.param({**IOS, "osv": "14.0", "ifa": ""}, True, id="14.0, an empty ifa"),
        pytest.param({**IOS, "osv": "14", "ifa": ZERO}, True, id="14, an ifa of zeros"),
        pytest.param({**IOS, "osv": "14.1.2", "ifa": ZERO}, True, id="14.1.2, an ifa of zeros"),
        pytest.param({"os": "iOS", "osv": "14.1"}, True, id="14.1, no ifa"),
        pytest.param({**IOS, "osv": "14.1"}, False, id="14.1, an ifa"),
        pytest.param({**IOS, "osv": "13.7", "ifa": ""}, False, id="13.7, an empty ifa"),
        pytest.param({**IOS, "osv": "14.2", "ifa": ""}, False, id="14.2, an empty ifa, no status"),
        pytest.param({"os": "Android", "osv": "14", "ifa": ""}, False, id="Android 14, an empty ifa"),
        pytest.param({"os": "iPhone OS", "osv": "14_0", "ifa": ZERO}, True, id="14_0 of iPhone OS"),
        pytest.param({"os": "iOS 14", "osv": "iOS 14.0", "ifa": ZERO}, True, id="a system in the version"),
        pytest.param({"os": " ios ", "osv": "14.0 ", "ifa": " "}, True, id="blanks"),
        pytest.param({"os": "iPadOS", "osv": "14.1b2", "ifa": "null"}, True, id="a beta, and an ifa of null"),
        pytest.param({**IOS, "osv": "13_7", "ifa": ""}, False, id="13_7"),
        pytest.param({**IOS, "osv": "fourteen", "ifa": ZERO}, True, id="an unreadable version"),
        pytest.param({"os": "iOS"}, True, id="no version, no ifa"),
        pytest.param({**IOS, "osv": "fourteen"}, False, id="an unreadable version, an ifa"),
        pytest.param({**IOS, "osv": "17.4", "ext": {"atts": 0}}, True, id="undetermined"),
        pytest.param({**IOS, "osv": "17.4", "ext": {"atts": 1}}, True, id="restricted"),
        pytest.param({**IOS, "osv": "14.2", "ext": {"atts": 2}}, True, id="denied"),
        pytest.param({**IOS, "osv": "17.4", "ext": {"atts": 3}}, False, id="authorised"),
        pytest.param({**IOS, "osv": "14.1", "ext": {"atts": 2}}, False, id="a status before there was one"),
        pytest.param({**IOS, "ext": {"atts": 2}}, True, id="denied, on an unknown version"),
        pytest.param({**IOS, "osv": "seventeen", "ext": {"atts": 0}}, True, id="undetermined, on no version"),
        pytest.param({**IOS, "osv": "17.4", "lmt": 1, "ext": {"atts": 3}}, True, id="authorised, and limited"),
        pytest.param({**IOS, "osv": "14.0", "lmt": 1}, True, id="14.0, an ifa, and limited"),
    ],
)
def test_apples_signals_can_only_add_a_limit(fields: Json, *, limits: bool) -> None:
    assert read(app={}, device=fields).signals.limit_ad_tracking is limits


@pytest.mark.parametrize("place", [{"site": {}}, {}], ids=["on the web", "nowhere"])
@pytest.mark.parametrize("version", ["14.0", "fourteen", None])
def test_a_page_has_no_advertising_id_to_miss(place: Json, version: str | None) -> None:
    system = {"os": "iOS", "osv": version} if version else {"os": "iOS"}
    assert not read(**place, device=system).signals.limit_ad_tracking


@pytest.mark.parametrize("ifa", [ZERO, "0" * 32, "0", f"{{{ZERO}}}", f" {ZERO} "])
@pytest.mark.parametrize("system", [{}, {"os": "Android", "osv": "13"}, {"os": "tvOS"}, {"os": "iOS", "osv": "17.4"}])
@pytest.mark.parametrize("place", [{"app": {}}, {"site": {}}], ids=["in an app", "on the web"])
def test_an_advertising_id_of_zeros_limits_on_every_system(ifa: str, system: Json, place: Json) -> None:
    assert read(**place, device={**system, "ifa": ifa, "lmt": 0, "ext": {"atts": 3}}).signals.limit_ad_tracking


@pytest.mark.parametrize("ifa", ["", "-", "A1B2C3D4-0000-4000-8000-0000000E0002", "null", "0000x"])
def test_another_advertising_id_does_not_limit(ifa: str) -> None:
    assert not read(app={}, device={"os": "Android", "ifa": ifa}).signals.limit_ad_tracking


@pytest.mark.parametrize("status", [0, 1, 2])
def test_a_status_that_refuses_limits_without_a_system_and_without_an_app(status: int) -> None:
    assert device(ext={"atts": status}).limit_ad_tracking


@pytest.mark.parametrize("status", [0, 1, 2])
@pytest.mark.parametrize("place", [{"app": {}}, {"site": {}}, {}], ids=["in an app", "on the web", "nowhere"])
def test_a_status_that_does_not_authorise_limits_also_where_no_system_is_named(status: int, place: Json) -> None:
    assert read(**place, device={"ext": {"atts": status}}).signals.limit_ad_tracking
