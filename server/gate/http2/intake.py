"""What all ports of a gate on h2corn share, whichever port a call comes by."""

from typing import NamedTuple

from server.gate.connect.conversions import Conversions
from server.gate.http2.bodies import Bodies
from server.gate.lanes import Lanes


class Intake(NamedTuple):
    """Where calls wait, and what they take of the gate before and after that."""

    lanes: Lanes
    bodies: Bodies
    conversions: Conversions
