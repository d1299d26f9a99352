"""What the tests of decision records share: decisions of any kind, and their records."""

from hypothesis import strategies as st

from targeting.age import person_day
from targeting.decision import Rulebook, decide, plan
from targeting.decision_records.facts import Recorded, record_of
from targeting.decision_records.form import DecisionRecord
from targeting.model import AdRequest
from targeting.policy.policy import Policy
from targeting.reasons import Reason
from targeting.records.stored_records import StoredRecords
from targeting.rejudging.batch import DecidedBatch
from targeting.signals.nap import Nap
from tests.properties.any_request import REQUESTS, records
from tests.targeting.rejudging.policies import VARIANTS

NOW_S = 1_780_000_000.0
TODAY = person_day(NOW_S)
POLICIES = st.sampled_from([VARIANTS[name] for name in VARIANTS])
NAPS = st.sampled_from([(), (), (Nap(age=14),), (Nap(age=40), Nap(age=14)), (Nap(),)])
BORN = st.sampled_from([None, None, TODAY - 5_000, TODAY - 6_000, TODAY - 20_000, TODAY + 1])


@st.composite
def any_decision(draw: st.DrawFn) -> tuple[AdRequest, Policy, list[StoredRecords] | Reason, tuple[Nap, ...]]:
    """A request, a policy, the records of its subjects or the reason why there are none, and its NAP cookies."""
    request, policy = draw(REQUESTS), draw(POLICIES)
    signals = request.signals._replace(
        age_treatment=draw(st.sampled_from([0, 0, 0, 1, 2, 3, 9])), latest_birth_day=draw(BORN)
    )
    request = request._replace(
        signals=signals,
        shown_countries=draw(st.sampled_from([(), (), ("FR",), ("EU",)])),
        shown_subdivisions=draw(st.sampled_from([(), (), ("US-CT",), ("US-",)])),
    )
    subjects = plan([request], policy, NOW_S).subjects
    fetched: list[StoredRecords] | Reason = [draw(records(subject)) for subject in subjects]
    if subjects and draw(st.integers(0, 5)) == 0:
        fetched = draw(st.sampled_from([Reason.STORE_TIMEOUT, Reason.STORE_UNAVAILABLE, Reason.PREFERENCE_LOST]))
    return request, policy, fetched, draw(NAPS) if subjects else ()


def recorded(
    request: AdRequest, policy: Policy, fetched: list[StoredRecords] | Reason, naps: tuple[Nap, ...] = ()
) -> Recorded:
    planned = plan([request], policy, NOW_S)
    decisions = decide(planned, fetched, [naps], Rulebook(policy, b"key"), NOW_S)
    (decided,) = DecidedBatch(planned, fetched, [naps], decisions, policy, NOW_S).requests()
    return Recorded(decided, decisions[0], policy, NOW_S)


def record(made: Recorded) -> DecisionRecord:
    return record_of(made, epoch="e1")
