"""Which choice wins when a failover may have lost one: the stored one, or the one that was acknowledged.

An acknowledged choice that the store no longer holds is applied again, unless the person has made another choice
since. Clocks are not trusted to lift an opt-out.
"""

from targeting.recording.choice import ChoiceMade, apply_choice, made_before
from targeting.records.preference import Choice, Preference


def includes(record: Preference, earlier: Preference) -> bool:
    """Whether a record includes the latest change of another: it was derived from that one, or is the same."""
    return not earlier.history or made_before(record, earlier.history[0].change_key) is not None


def restore(current: Preference, acknowledged: Preference) -> Preference | None:
    """Return the record to store: the current one if it includes the acknowledged choice, else that choice on top.

    None: another choice has been made since, and stands. Example: an opt-out of 10:05 is acknowledged and lost, and
    the store holds an opt-in of 10:00: the opt-out is applied again. Had the opt-in been made at 10:07, it would stand.
    """
    change = acknowledged.history[0]
    if includes(current, acknowledged):
        return current
    # The record that the lost one was derived from is older, whatever the clocks say. For any other record the clock
    # decides, except that it never lifts an opt-out.
    lifts = (current.choice, change.choice) == (Choice.OPT_OUT, Choice.OPT_IN)
    if not includes(acknowledged, current) and (lifts or current.changed_at_ms > change.changed_at_ms):
        return None
    restored = apply_choice(
        current,
        ChoiceMade(
            choice=change.choice,
            source=change.source,
            change_key=change.change_key,
            made_at_ms=change.changed_at_ms,
            country=acknowledged.country,
            language=acknowledged.language,
            birth_day=acknowledged.birth_day,
            actor=change.actor,
            ticket=change.ticket,
        ),
    )
    # An opt-out by a signal goes on expiring where nothing else is stored.
    return restored._replace(expires_s=0 if current.history else acknowledged.expires_s)
