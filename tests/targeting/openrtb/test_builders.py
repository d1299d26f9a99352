"""The builders of ``user`` and ``device``: what they show of themselves, and descriptions that say little."""

import pytest

from targeting.openrtb.device import Device
from targeting.openrtb.user import User
from tests.targeting.openrtb.one_network import US, bid, sent
from tests.targeting.openrtb.preparing import Json


@pytest.mark.parametrize("builder", [Device, User])
def test_a_builder_shows_nothing_of_the_person(builder: type[Device] | type[User]) -> None:
    assert repr(object.__new__(builder)) == f"{builder.__name__}()"


@pytest.mark.parametrize(
    ("sua", "kept"),
    [
        ({"mobile": 1}, {"mobile": 1}),
        ({"mobile": 0, "platform": {"brand": "X", "ext": {}}}, {"mobile": 0, "platform": {"brand": "X"}}),
        ({"browsers": []}, {"browsers": []}),
        (
            {"browsers": [{"brand": "X", "version": ["1"], "x": 1}, {}]},
            {"browsers": [{"brand": "X", "version": ["1"]}, {}]},
        ),
        ({"x": 1}, {}),
    ],
    ids=["nothing but mobile", "no browsers", "no platform", "two browsers", "nothing"],
)
def test_user_agent_hints_hold_what_came_and_has_a_name(sua: Json, kept: Json) -> None:
    assert sent(bid(device={**US, "sua": sua}))["device"]["sua"] == kept
