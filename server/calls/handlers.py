"""Which handler serves which RPC of the second lane."""

from server.calls.desk import Handler
from server.calls.explain import explain_decision
from server.calls.preference import get_preferences, set_preference
from server.gate.methods import EXPLAIN, GET_PREFERENCES, SET_PREFERENCE
from server.gate.port import Method

HANDLERS: dict[Method, Handler] = {
    EXPLAIN: explain_decision,
    SET_PREFERENCE: set_preference,
    GET_PREFERENCES: get_preferences,
}
