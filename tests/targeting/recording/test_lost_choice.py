"""Which choice wins after a failover: a table of what the store holds and what was acknowledged."""

from typing import NamedTuple

import pytest

from targeting.recording.choice import ChoiceMade, apply_choice
from targeting.recording.lost_choice import includes, restore
from targeting.records.preference import Choice, Preference, Source

OUT, IN = Choice.OPT_OUT, Choice.OPT_IN


class Step(NamedTuple):
    """A choice, its time (ms), and the letter of its change key."""

    choice: Choice
    at_ms: int
    key: str


def record(*steps: Step) -> Preference:
    preference = Preference()
    for choice, at_ms, key in steps:
        made = ChoiceMade(
            choice=choice, source=Source.ACCOUNT_PAGE, change_key=key.encode() * 8, made_at_ms=at_ms, country="GB"
        )
        preference = apply_choice(preference, made)
    return preference


class Row(NamedTuple):
    current: tuple[Step, ...]
    acknowledged: tuple[Step, ...]
    after: str
    """The keys of the record to store, oldest first; empty: the current one stands."""


WHO_WINS = {
    "nothing was lost": Row((Step(OUT, 5, "a"),), (Step(OUT, 5, "a"),), "a"),
    "everything was lost": Row((), (Step(OUT, 5, "a"),), "a"),
    "the last step was lost": Row((Step(IN, 1, "a"),), (Step(IN, 1, "a"), Step(OUT, 5, "b")), "ab"),
    "the record it was derived from is older, whatever the clocks say": Row(
        (Step(IN, 9, "a"),), (Step(IN, 9, "a"), Step(OUT, 5, "b")), "ab"
    ),
    "another choice has been added since": Row((Step(OUT, 5, "a"), Step(IN, 9, "b")), (Step(OUT, 5, "a"),), "ab"),
    "an opt-out against an older, unrelated opt-in": Row((Step(IN, 4, "b"),), (Step(OUT, 5, "a"),), "ba"),
    "an opt-out against an unrelated opt-in of the same millisecond": Row(
        (Step(IN, 5, "b"),), (Step(OUT, 5, "a"),), "ba"
    ),
    "an opt-out against a later, unrelated opt-in": Row((Step(IN, 6, "b"),), (Step(OUT, 5, "a"),), ""),
    "an opt-in against an older, unrelated opt-out": Row((Step(OUT, 1, "b"),), (Step(IN, 5, "a"),), ""),
    "an opt-in against the opt-out it was derived from": Row(
        (Step(OUT, 1, "a"),), (Step(OUT, 1, "a"), Step(IN, 5, "b")), "ab"
    ),
    "an opt-in against an older, unrelated opt-in": Row((Step(IN, 1, "b"),), (Step(IN, 5, "a"),), "ba"),
    "an opt-out against a later, unrelated opt-out": Row((Step(OUT, 9, "b"),), (Step(OUT, 5, "a"),), ""),
}


@pytest.mark.parametrize("row", WHO_WINS.values(), ids=WHO_WINS)
def test_which_choice_wins(row: Row) -> None:
    after = restore(record(*row.current), record(*row.acknowledged))
    keys = "" if after is None else "".join(change.change_key.decode()[0] for change in reversed(after.history))
    assert keys == row.after


def test_a_restored_choice_brings_what_came_with_it() -> None:
    after = restore(Preference(language="en"), record(Step(OUT, 5, "a")))
    assert after is not None
    assert (after.choice, after.country, after.language, after.changed_at_ms) == (OUT, "GB", "en", 5)


INCLUDED = {
    "itself": ((Step(OUT, 5, "a"),), (Step(OUT, 5, "a"),), True),
    "what it was derived from": ((Step(OUT, 5, "a"), Step(IN, 6, "b")), (Step(OUT, 5, "a"),), True),
    "no choice at all": ((Step(OUT, 5, "a"),), (), True),
    "what was derived from it": ((Step(OUT, 5, "a"),), (Step(OUT, 5, "a"), Step(IN, 6, "b")), False),
    "an unrelated one of the same time": ((Step(OUT, 5, "a"),), (Step(OUT, 5, "b"),), False),
}


@pytest.mark.parametrize(("whole", "earlier", "expected"), INCLUDED.values(), ids=INCLUDED)
def test_a_record_includes(whole: tuple[Step, ...], earlier: tuple[Step, ...], expected: bool) -> None:
    assert includes(record(*whole), record(*earlier)) is expected


def test_a_lost_opt_out_by_a_signal_goes_on_expiring_where_nothing_else_is_stored() -> None:
    expiring = record(Step(OUT, 5, "a"))._replace(expires_s=77)
    restored = restore(Preference(), expiring)
    assert restored is not None
    assert restored.expires_s == 77
    upon_another = restore(record(Step(IN, 1, "b")), expiring)
    assert upon_another is not None
    assert upon_another.expires_s == 0


def test_a_restored_choice_keeps_who_made_it_and_why() -> None:
    made = ChoiceMade(
        choice=OUT,
        source=Source.SUPPORT,
        change_key=b"12345678",
        made_at_ms=5,
        actor="support-desk",
        ticket="CASE-4711",
    )
    restored = restore(Preference(), apply_choice(Preference(), made))
    assert restored
    assert [(change.actor, change.ticket) for change in restored.history] == [("support-desk", "CASE-4711")]
