"""How a profile learns: evidence adds up towards 1, fades, and keeps to its bounds."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.recording.activity import INTEREST_GAINS, Activity, ActivityKind
from targeting.records.profile import (
    MAX_DESTINATIONS,
    MAX_EXPOSURES,
    MAX_INTERESTS,
    SCORE_STEPS,
    HeldDestination,
    HeldExposure,
    Profile,
    SegmentKind,
    decode_profile,
    read_profile,
    whole_profile,
    write_profile,
)
from tests.targeting.recording.any_activity import (
    DAY_S,
    HALF_LIFE,
    NOW_S,
    activities,
    after_all,
    call,
    click,
    impression,
    profile_of,
    view,
)

STEP = 1 / SCORE_STEPS
OWNER = bytes(range(16))


def scores(profile: Profile) -> dict[str, float]:
    return {held.segment_id: held.score for held in profile.interests}


KINDS = [
    (ActivityKind.PAGE_VIEW, SegmentKind.CONTENT, 0.1),
    (ActivityKind.CONTENT, SegmentKind.CONTENT, 0.2),
    (ActivityKind.PURCHASE, SegmentKind.PURCHASE, 0.5),
    (ActivityKind.EXTERNAL_SEGMENT, SegmentKind.EXTERNAL, 0.3),
]


def test_how_much_a_profile_holds() -> None:
    assert (MAX_INTERESTS, MAX_DESTINATIONS, MAX_EXPOSURES) == (64, 32, 128)


class TestInterests:
    @pytest.mark.parametrize(("kind", "segment_kind", "gain"), KINDS, ids=[row[0].name for row in KINDS])
    def test_the_first_evidence_of_a_kind(self, kind: ActivityKind, segment_kind: SegmentKind, gain: float) -> None:
        (held,) = profile_of(view("386", kind=kind)).interests
        assert (held.segment_id, held.kind, held.updated_s) == ("386", segment_kind, NOW_S)
        assert held.score == pytest.approx(gain, abs=STEP)

    def test_evidence_saturates(self) -> None:
        assert scores(profile_of(view("386"), view("386")))["386"] == pytest.approx(1 - 0.8**2, abs=2 * STEP)

    def test_a_segment_that_is_named_twice_counts_once(self) -> None:
        assert profile_of(view("386", "386")) == profile_of(view("386"))

    def test_evidence_fades_by_half_in_a_half_life(self) -> None:
        later_s = NOW_S + int(HALF_LIFE.content * DAY_S)
        faded = profile_of(view("386"), view("386", at_s=later_s), now_s=later_s)
        assert scores(faded)["386"] == pytest.approx(1 - (1 - 0.1) * (1 - 0.2), abs=2 * STEP)

    def test_evidence_that_comes_late_has_faded(self) -> None:
        early_s = NOW_S - int(HALF_LIFE.content * DAY_S)
        (held,) = profile_of(view("386"), view("386", at_s=early_s)).interests
        assert held.score == pytest.approx(1 - (1 - 0.2) * (1 - 0.1), abs=2 * STEP)
        assert held.updated_s == NOW_S

    def test_a_segment_of_two_sources_lasts_as_its_longest_does(self) -> None:
        bought, read = view("386", kind=ActivityKind.PURCHASE), view("386")
        for order in ([bought, read], [read, bought]):
            (held,) = profile_of(*order).interests
            assert held.kind is SegmentKind.PURCHASE
            assert held.score == pytest.approx(1 - 0.5 * 0.8, abs=2 * STEP)

    def test_the_weakest_gives_way(self) -> None:
        strong = [view(str(number), kind=ActivityKind.PURCHASE) for number in range(100, 163)]
        crowd = profile_of(view("900", kind=ActivityKind.PAGE_VIEW), *strong, view("901"))
        assert len(crowd.interests) == MAX_INTERESTS
        assert "900" not in scores(crowd)
        assert "901" in scores(crowd)

    def test_of_equally_weak_ones_the_oldest_gives_way(self) -> None:
        # Both stand at a quarter now, but one is a half-life older.
        old = view("900", kind=ActivityKind.PURCHASE, at_s=NOW_S - int(HALF_LIFE.purchase * DAY_S))
        others = [view(str(number), kind=ActivityKind.PURCHASE) for number in range(100, 163)]
        assert "900" not in scores(profile_of(*others, old, view("901", kind=ActivityKind.PURCHASE)))

    def test_an_outside_segment_gives_way_and_the_others_keep_their_names(self) -> None:
        outside = [view(f"vendor:{number}") for number in range(MAX_INTERESTS - 1)]
        weak = view("vendor:weak", kind=ActivityKind.PAGE_VIEW)
        crowd = profile_of(*outside[:20], weak, *outside[20:], view("386"), view("vendor:19"))
        assert set(scores(crowd)) == {"386", *(f"vendor:{number}" for number in range(MAX_INTERESTS - 1))}
        assert scores(crowd)["vendor:19"] > scores(crowd)["vendor:18"]

    def test_a_page_without_segments_was_viewed_all_the_same(self) -> None:
        profile = profile_of(view(kind=ActivityKind.PAGE_VIEW))
        assert (profile.interests, profile.version, profile.updated_s) == ((), 1, NOW_S)


class TestDestinations:
    def test_calls_add_up_and_fade(self) -> None:
        later_s = NOW_S + int(HALF_LIFE.destination * DAY_S)
        held = profile_of(call("GB"), call("GB"), call("GB", later_s), now_s=later_s).destinations
        assert held == (HeldDestination("GB", 2.0, later_s),)

    def test_a_call_that_is_told_of_late_has_faded(self) -> None:
        early_s = NOW_S - int(HALF_LIFE.destination * DAY_S)
        assert profile_of(call("GB"), call("GB", early_s)).destinations == (HeldDestination("GB", 1.5, NOW_S),)

    def test_the_weakest_country_gives_way(self) -> None:
        countries = [chr(65 + number // 26) + chr(65 + number % 26) for number in range(MAX_DESTINATIONS)]
        often = [call(country) for country in countries for _ in range(2)]
        held = profile_of(call("ZW"), *often, now_s=NOW_S).destinations
        assert sorted(each.country for each in held) == countries

    def test_a_time_that_is_spelt_like_a_country_is_none(self) -> None:
        at_s = NOW_S & ~0xFFFF | int.from_bytes(b"GB", "little")
        assert [held.country for held in profile_of(call("FR", at_s), call("GB")).destinations] == ["FR", "GB"]

    def test_nothing_else_of_a_call_is_kept(self) -> None:
        profile = profile_of(Activity(ActivityKind.CALL, NOW_S, ("386",), "GB", "ad-1"))
        assert (profile.interests, profile.exposures) == ((), ())


class TestExposures:
    def test_impressions_and_clicks_are_counted(self) -> None:
        profile = profile_of(impression("ad-1"), impression("ad-1"), click("ad-1"), click("ad-2"))
        assert profile.exposures == (HeldExposure("ad-1", 2, 1, NOW_S), HeldExposure("ad-2", 0, 1, NOW_S))

    def test_the_newest_comes_first(self) -> None:
        times = [NOW_S - 5, NOW_S - 1, NOW_S - 9]
        exposures = profile_of(*(impression(f"ad-{at}", at) for at in times)).exposures
        assert [held.last_seen_s for held in exposures] == sorted(times, reverse=True)

    def test_one_that_is_told_of_late_counts_but_is_no_newer(self) -> None:
        exposures = profile_of(impression("ad-1"), impression("ad-1", NOW_S - 60)).exposures
        assert exposures == (HeldExposure("ad-1", 2, 0, NOW_S),)

    def test_the_oldest_is_dropped(self) -> None:
        seen = [impression(f"ad-{number}", NOW_S - number) for number in range(MAX_EXPOSURES + 1)]
        exposures = profile_of(*seen).exposures
        assert [held.ad_id for held in exposures] == [f"ad-{number}" for number in range(MAX_EXPOSURES)]

    def test_counting_ends_where_the_record_has_no_more_room(self) -> None:
        profile = after_all([impression("ad-1")])
        full = profile._replace(exposure_rows=b"\xff\xff" + profile.exposure_rows[2:])
        assert whole_profile(after_all([impression("ad-1")], full)).exposures[0].impressions == 65_535


class TestTimes:
    def test_the_future_counts_as_now(self) -> None:
        assert profile_of(view("386", at_s=NOW_S + 60)) == profile_of(view("386"))

    def test_a_profile_knows_its_first_and_its_last_activity(self) -> None:
        profile = profile_of(view("386"), call("GB", NOW_S - 50), impression("ad-1", NOW_S - 20))
        assert (profile.created_s, profile.updated_s, profile.version) == (NOW_S - 50, NOW_S, 3)


@given(st.lists(activities(), min_size=1, max_size=60))
def test_bounds_hold(done: list[Activity]) -> None:
    profile = profile_of(*done)
    assert all(0 <= held.score <= 1 for held in profile.interests)
    assert all(0 < held.weight <= len(done) for held in profile.destinations)
    assert len(profile.interests) <= MAX_INTERESTS
    assert len(profile.destinations) <= MAX_DESTINATIONS
    assert len(profile.exposures) <= MAX_EXPOSURES
    assert len({held.segment_id for held in profile.interests}) == len(profile.interests)
    assert all(a.last_seen_s >= b.last_seen_s for a, b in pairwise(profile.exposures))
    assert all(held.updated_s <= NOW_S for held in profile.interests)
    assert all(held.updated_s <= NOW_S for held in profile.destinations)
    assert profile.version == len(done)


@given(st.lists(activities(), min_size=1, max_size=20))
def test_what_is_applied_is_what_the_store_gives_back(done: list[Activity]) -> None:
    raw = after_all(done)
    assert read_profile(write_profile(raw, OWNER), OWNER) == raw
    assert decode_profile(write_profile(raw, OWNER), OWNER) == whole_profile(raw)


@given(st.lists(activities(), min_size=1, max_size=10), activities())
def test_evidence_never_weakens(done: list[Activity], more: Activity) -> None:
    before, after = scores(profile_of(*done)), scores(whole_profile(after_all([more], after_all(done))))
    if more.kind in INTEREST_GAINS:
        fresh = [segment_id for segment_id in more.segment_ids if segment_id not in before]
        assert all(after[segment_id] > 0 for segment_id in fresh if more.occurred_s > NOW_S - 7 * DAY_S)
    assert set(before) <= set(after)


@given(st.data())
def test_activities_of_one_instant_may_come_in_any_order(data: st.DataObject) -> None:
    at_s = data.draw(st.integers(NOW_S - 30 * DAY_S, NOW_S))
    earlier = after_all(data.draw(st.lists(activities(st.just(at_s - DAY_S)), min_size=1, max_size=5)))
    done = data.draw(st.lists(activities(st.just(at_s)), min_size=2, max_size=8))
    one = whole_profile(after_all(done, earlier))
    other = whole_profile(after_all(data.draw(st.permutations(done)), earlier))
    assert scores(one) == pytest.approx(scores(other), abs=len(done) * STEP)
    assert {held.segment_id: held.kind for held in one.interests} == {
        held.segment_id: held.kind for held in other.interests
    }
    assert one.exposures == other.exposures


@given(st.data())
def test_calls_and_exposures_may_come_in_any_order_at_all(data: st.DataObject) -> None:
    kinds = {ActivityKind.CALL, ActivityKind.AD_IMPRESSION, ActivityKind.AD_CLICK}
    done = [each for each in data.draw(st.lists(activities(), min_size=1, max_size=12)) if each.kind in kinds]
    if not done:
        return
    one, other = profile_of(*done), profile_of(*data.draw(st.permutations(done)))
    assert one.exposures == other.exposures
    assert {held.country: held.updated_s for held in one.destinations} == {
        held.country: held.updated_s for held in other.destinations
    }
    weights = {held.country: held.weight for held in other.destinations}
    assert {held.country: held.weight for held in one.destinations} == pytest.approx(weights, rel=1e-5)


def test_an_activity_shows_nothing_but_its_kind() -> None:
    assert repr(view("386")) == "Activity(CONTENT)"
