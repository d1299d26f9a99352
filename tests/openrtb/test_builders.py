"""The builders of ``user`` and ``device``: what they show of themselves, and descriptions that say little."""

import pytest
from msgspec import Raw

from targeting.openrtb_device import Device, _described
from targeting.openrtb_user import User


@pytest.mark.parametrize("builder", [Device, User])
def test_a_builder_shows_nothing_of_the_person(builder: type[Device] | type[User]) -> None:
    assert repr(object.__new__(builder)) == f"{builder.__name__}()"


@pytest.mark.parametrize(
    ("sua", "kept"),
    [
        (b'{"mobile": 1}', ["mobile"]),
        (b'{"mobile": 0, "platform": {"brand": "X"}}', ["mobile", "platform"]),
        (b'{"browsers": []}', ["browsers"]),
    ],
    ids=["nothing but mobile", "no browsers", "no platform"],
)
def test_user_agent_hints_hold_what_came(sua: bytes, kept: list[str]) -> None:
    assert sorted(_described({"sua": Raw(sua)})["sua"]) == kept
