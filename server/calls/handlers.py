"""The handler of each RPC of the second lane."""

from server.calls.activity import record_activity
from server.calls.audited import audited_handler
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
    method: audited_handler(method, handler)
    for method, handler in {
        EXPLAIN: explain_decision,
        SET_PREFERENCE: set_preference,
        GET_PREFERENCES: get_preferences,
        GET_PROFILE: get_profile,
        UPDATE_PROFILE: update_profile,
        DELETE_PROFILE: delete_profile,
    }.items()
} | {RECORD_ACTIVITY: record_activity}
"""Each call about one person has an entry in the audit log; activities are no such calls."""
