"""A subject's records over time: activities count once, and a profile never stands alone."""

from hypothesis import given
from hypothesis import strategies as st

from targeting.model import SubjectKind
from targeting.policy.policy import DEFAULT_POLICY
from targeting.reasons import Reason
from targeting.recording.activity import Activity
from targeting.recording.record import Outcome, PendingActivity, Recorded, Result, record, seconds_to_live
from targeting.records.deduplication import KEPT_S
from targeting.records.preference import Choice, Preference, decode_preference, encode_preference
from targeting.records.profile import decode_profile
from targeting.records.stored_records import StoredRecords
from tests.targeting.recording.any_activity import DAY_S, NOW_S, activities, call, impression, profile_of, view

OWNER = bytes(range(16))
NEW = StoredRecords(SubjectKind.ACCOUNT, OWNER)
GPC = Reason.GLOBAL_PRIVACY_CONTROL.bit
RETENTION_S = DEFAULT_POLICY.retention.profile_days * DAY_S


def recorded(held: StoredRecords, *entries: PendingActivity, now_s: int = NOW_S) -> Recorded:
    return record(held, entries, DEFAULT_POLICY, now_s)


def after(held: StoredRecords, done: Recorded) -> StoredRecords:
    """The records once the values are stored."""
    if done.values is None:
        return held
    new = done.values
    return StoredRecords(
        SubjectKind.ACCOUNT,
        OWNER,
        new.preference or held.preference,
        new.profile or held.profile,
        new.seen or held.seen,
    )


def outcomes(done: Recorded) -> list[Outcome]:
    return [result.outcome for result in done.results]


def test_the_first_profile_comes_with_its_preference_record() -> None:
    done = recorded(NEW, PendingActivity("a1", view("386")))
    assert done.values is not None
    assert decode_preference(done.values.preference or b"", OWNER) == Preference()
    assert decode_profile(done.values.profile or b"", OWNER) == profile_of(view("386"))


def test_a_preference_record_that_is_there_stays_as_it_is() -> None:
    opted_in = encode_preference(Preference(choice=Choice.OPT_IN, version=3), OWNER)
    done = recorded(StoredRecords(SubjectKind.ACCOUNT, OWNER, opted_in), PendingActivity("a1", view("386")))
    assert done.values is not None
    assert done.values.preference is None


def test_an_activity_counts_once_however_often_it_is_sent() -> None:
    first = recorded(NEW, PendingActivity("a1", impression("ad-1")), PendingActivity("a1", impression("ad-1")))
    assert outcomes(first) == [Outcome.RECORDED, Outcome.DUPLICATE]
    held = after(NEW, first)
    again = recorded(held, PendingActivity("a1", impression("ad-1")), now_s=NOW_S + 60)
    assert (outcomes(again), again.values) == ([Outcome.DUPLICATE], None)
    assert decode_profile(held.profile or b"", OWNER).exposures[0].impressions == 1


def test_a_day_later_the_same_id_is_another_activity() -> None:
    held = after(NEW, recorded(NEW, PendingActivity("a1", impression("ad-1"))))
    assert outcomes(recorded(held, PendingActivity("a1", impression("ad-1")), now_s=NOW_S + KEPT_S)) == [
        Outcome.RECORDED
    ]


def test_without_an_id_every_activity_is_another_one() -> None:
    assert outcomes(recorded(NEW, *[PendingActivity("", view("386"))] * 2)) == [Outcome.RECORDED, Outcome.RECORDED]


def test_what_is_forbidden_leaves_no_trace() -> None:
    done = recorded(NEW, PendingActivity("a1", view("386"), GPC))
    assert done == Recorded([Result(Outcome.SUPPRESSED, GPC)])


def test_what_is_forbidden_among_others_leaves_no_trace_either() -> None:
    mixed = recorded(
        NEW,
        PendingActivity("a1", view("386")),
        PendingActivity("a2", call("GB"), GPC),
        PendingActivity("a3", view("5")),
    )
    assert outcomes(mixed) == [Outcome.RECORDED, Outcome.SUPPRESSED, Outcome.RECORDED]
    assert mixed.values == recorded(NEW, PendingActivity("a1", view("386")), PendingActivity("a3", view("5"))).values


def test_a_suppressed_activity_may_be_sent_again_once_it_is_allowed() -> None:
    held = after(NEW, recorded(NEW, PendingActivity("a1", view("386"), GPC)))
    assert outcomes(recorded(held, PendingActivity("a1", view("386")))) == [Outcome.RECORDED]


UNREADABLE = [
    StoredRecords(SubjectKind.ACCOUNT, OWNER, None, b"\0"),
    StoredRecords(SubjectKind.ACCOUNT, OWNER, None, None, b"\0"),
]


def test_what_cannot_be_read_is_not_overwritten() -> None:
    for held in UNREADABLE:
        done = recorded(held, PendingActivity("a1", view("386")), PendingActivity("a2", view("386"), GPC))
        unreadable = Reason.RECORD_UNREADABLE.bit
        assert done.values is None
        assert [result.reasons for result in done.results] == [unreadable, unreadable | GPC]


def test_a_profile_is_kept_from_its_last_activity_on() -> None:
    late = recorded(NEW, PendingActivity("a1", view("386", at_s=NOW_S - 10 * DAY_S)))
    assert late.values is not None
    assert late.values.profile_ttl_s == RETENTION_S - 10 * DAY_S
    assert seconds_to_live(NOW_S - RETENTION_S - 5, DEFAULT_POLICY.retention, NOW_S) == 1


@given(st.lists(st.tuples(st.sampled_from("abcdef"), activities()), min_size=1, max_size=12), st.data())
def test_cutting_a_batch_anywhere_changes_nothing(sent: list[tuple[str, Activity]], data: st.DataObject) -> None:
    """Batching changes speed and nothing else."""
    entries = [PendingActivity(name, activity) for name, activity in sent]
    whole = recorded(NEW, *entries)
    cut = data.draw(st.integers(0, len(entries)))
    first = recorded(NEW, *entries[:cut])
    second = recorded(after(NEW, first), *entries[cut:])
    assert outcomes(whole) == outcomes(first) + outcomes(second)
    assert after(NEW, whole) == after(after(NEW, first), second)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), activities()), min_size=1, max_size=12))
def test_sending_everything_again_changes_nothing(sent: list[tuple[str, Activity]]) -> None:
    entries = [PendingActivity(name, activity) for name, activity in sent]
    again = recorded(after(NEW, recorded(NEW, *entries)), *entries)
    assert set(outcomes(again)) == {Outcome.DUPLICATE}
    assert again.values is None
