"""The enumerations of the core have the numbers of the contract's, so a number means the same on both sides."""

from enum import IntEnum
from typing import Any

import pytest
from adtargeting.v1 import preference_pb2, profile_pb2, targeting_pb2

from server.choices.choice_store import Confirmation
from targeting.model import Gender, Mode
from targeting.reasons import Reason
from targeting.recording.activity import ActivityKind
from targeting.recording.record import Outcome
from targeting.records.preference import Choice, Source
from targeting.records.profile import SegmentKind

ENUMERATIONS: dict[str, tuple[type[IntEnum], Any]] = {
    "CHOICE": (Choice, preference_pb2.Choice),
    "SOURCE": (Source, preference_pb2.Source),
    "CONFIRMATION": (Confirmation, preference_pb2.Confirmation),
    "MODE": (Mode, targeting_pb2.Mode),
    "REASON": (Reason, targeting_pb2.Reason),
    "GENDER": (Gender, targeting_pb2.Gender),
    "SEGMENT_KIND": (SegmentKind, profile_pb2.SegmentKind),
    "ACTIVITY_KIND": (ActivityKind, profile_pb2.ActivityKind),
    "OUTCOME": (Outcome, profile_pb2.Outcome),
}


@pytest.mark.parametrize("prefix", ENUMERATIONS)
def test_every_name_has_one_number_in_the_core_and_in_the_contract(prefix: str) -> None:
    of_core, of_contract = ENUMERATIONS[prefix]
    # What is not stated has a name of its own in the core, or none.
    stated = {f"{prefix}_{name}": int(member) for name, member in of_core.__members__.items() if member}
    assert {name: number for name, number in of_contract.items() if number} == stated


def test_what_is_not_stated_is_zero() -> None:
    assert (Choice.NONE, Source.UNSTATED, Gender.UNKNOWN) == (0, 0, 0)
