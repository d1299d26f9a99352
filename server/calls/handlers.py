"""The handler of each RPC of the second lane."""

from server.calls.activity import record_activity
from server.calls.call_worker import Handler
from server.calls.explain import explain_decision
from server.calls.preference import get_preferences, set_preference
from server.calls.profile import delete_profile, get_profile, update_profile
from server.gate.methods import (
    DELETE_PROFILE,
    EXPLAIN,
    GET_PREFERENCES,
    GET_PROFILE,
    RECORD_ACTIVITY,
    SET_PREFERENCE,
    UPDATE_PROFILE,
)
from server.gate.port import Method

HANDLERS: dict[Method, Handler] = {
    EXPLAIN: explain_decision,
    SET_PREFERENCE: set_preference,
    GET_PREFERENCES: get_preferences,
    RECORD_ACTIVITY: record_activity,
    GET_PROFILE: get_profile,
    UPDATE_PROFILE: update_profile,
    DELETE_PROFILE: delete_profile,
}
