"""Strategies: any activity, and a short way to the profile that it makes."""

from collections.abc import Iterable

from hypothesis import strategies as st

from targeting.policy.policy import HalfLifePolicy
from targeting.recording.activity import Activity, ActivityKind, apply
from targeting.records.profile import Profile, RawProfile, whole_profile

NOW_S = 1_780_000_000
DAY_S = 86_400
HALF_LIFE = HalfLifePolicy()

TIMES = st.integers(NOW_S - 30 * DAY_S, NOW_S + DAY_S)
SEGMENTS = st.sampled_from(["223", "224", "386", "5", "vendor:auto", "vendor:home", "x"])
ADS = st.sampled_from([f"ad-{number}" for number in range(6)])
COUNTRIES = st.sampled_from(["GB", "FR", "DE", "US", "BG"])


def activities(times: st.SearchStrategy[int] = TIMES) -> st.SearchStrategy[Activity]:
    return st.builds(
        Activity,
        st.sampled_from(ActivityKind),
        times,
        st.lists(SEGMENTS, max_size=3).map(tuple),
        COUNTRIES,
        ADS,
    )


def after_all(done: Iterable[Activity], start: RawProfile | None = None, now_s: int = NOW_S) -> RawProfile:
    profile = start
    for each in done:
        profile = apply(profile, each, HALF_LIFE, now_s)
    assert profile is not None
    return profile


def profile_of(*done: Activity, now_s: int = NOW_S) -> Profile:
    return whole_profile(after_all(done, now_s=now_s))


def view(*segment_ids: str, at_s: int = NOW_S, kind: ActivityKind = ActivityKind.CONTENT) -> Activity:
    return Activity(kind, at_s, segment_ids)


def call(country: str, at_s: int = NOW_S) -> Activity:
    return Activity(ActivityKind.CALL, at_s, destination_country=country)


def impression(ad_id: str, at_s: int = NOW_S) -> Activity:
    return Activity(ActivityKind.AD_IMPRESSION, at_s, ad_id=ad_id)


def click(ad_id: str, at_s: int = NOW_S) -> Activity:
    return Activity(ActivityKind.AD_CLICK, at_s, ad_id=ad_id)
