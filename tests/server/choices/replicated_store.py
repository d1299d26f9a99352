"""A store whose replicas lag, choices in it, and a watch over them."""

from server.choices.choice_store import ChoiceStore
from server.choices.replication_watch import ReplicationWatch
from server.metrics.metrics import Metrics
from server.store.ports import Committed, RecordChange
from targeting.decision import Rulebook
from targeting.model import Subject, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY
from targeting.recording.choice import ChoiceMade, apply_choice
from targeting.records.preference import Choice, Preference, Source, decode_preference, encode_preference
from tests.server.store.fake_store import PSEUDONYMS, FakeStore

PEOPLE = [Subject(SubjectKind.ACCOUNT, name) for name in ("alice", "bob", "carol")]


ALICE, BOB, _ = PEOPLE


class Replicated(FakeStore):
    """A primary with replicas that may lag; a failover loses what they do not hold."""

    def __init__(self) -> None:
        super().__init__()
        self.replicas = 0
        self.waits = 0

    def commit_durably(
        self, change: RecordChange, replicas: int, budget_s: float, confirm_s: float | None = None
    ) -> Committed:
        self.waits += 1
        return super().commit_durably(change, replicas, budget_s)._replace(replicas=self.replicas)


def made(choice: Choice, at_ms: int, key: bytes = b"the key!") -> ChoiceMade:
    return ChoiceMade(
        choice=choice,
        source=Source.ACCOUNT_PAGE,
        change_key=key,
        made_at_ms=at_ms,
        country="GB",
        language="en",
        birth_day=7_000,
    )


def chosen(store: FakeStore, subject: Subject, choice: ChoiceMade) -> Preference:
    """Store a choice, as an acknowledgement would say."""
    preference = apply_choice(stored(store, subject), choice)
    store.put(subject, preference=encode_preference(preference, PSEUDONYMS.owner(subject)))
    return preference


def stored(store: FakeStore, subject: Subject) -> Preference:
    (held,) = store.read([subject], 1.0)
    return decode_preference(held.preference, held.owner) if held.preference else Preference()


def watch(store: FakeStore, **more: int) -> ReplicationWatch:
    return ReplicationWatch(ChoiceStore(store, lambda: Rulebook(DEFAULT_POLICY), replicas=1), Metrics(), **more)


def age(watching: ReplicationWatch) -> float:
    value = watching._metrics.registry.get_sample_value("adtargeting_unconfirmed_preference_age_seconds")
    assert value is not None
    return value


def errors(watching: ReplicationWatch, kind: str) -> float | None:
    """How many errors of a kind the watch has counted."""
    labels = {"operation": "unconfirmed", "kind": kind}
    return watching._metrics.registry.get_sample_value("adtargeting_store_errors_total", labels)
