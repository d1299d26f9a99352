"""Random histories of signals, choices, links, activities and decisions, each checked against the invariants.

A history runs the real core on a store in memory. Reads and writes, and requests and decisions, are separate steps,
so that any other step may come between them. The model keeps only who has opted out, and which ids are linked.
"""

import random
from dataclasses import replace
from typing import NamedTuple

from server.messages import wire
from server.store.ports import RecordChange
from targeting.decision import Decision, Plan, PlannedRequest, Rulebook, decide, plan
from targeting.model import NO_SIGNALS, AdRequest, Identity, Mode, Signals, Subject, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY, OptOutPolicy
from targeting.recording.activity import Activity, ActivityKind
from targeting.recording.admission import forbidden_by_records, forbidden_by_request
from targeting.recording.choice import ChoiceMade, apply_choice
from targeting.recording.correction import erase
from targeting.recording.record import PendingActivity, record
from targeting.records.envelope import PREFIX, RecordUnreadable
from targeting.records.preference import Choice, Preference, Source, decode_preference, encode_preference
from targeting.records.profile import HeldExposure, Profile, encode_profile
from targeting.records.stored_records import StoredRecords
from tests.server.store.fake_store import PSEUDONYMS, FakeStore

NOW_S = 1_780_000_000
BUDGET_S = 1.0
STEPS = 8
ACCOUNTS = [Subject(SubjectKind.ACCOUNT, name) for name in ("alice", "bob")]
DEVICES = [Subject(SubjectKind.DEVICE, name) for name in ("phone", "laptop")]
EVERYBODY = ACCOUNTS + DEVICES
RULEBOOKS = [
    Rulebook(DEFAULT_POLICY),
    Rulebook(replace(DEFAULT_POLICY, opt_out=OptOutPolicy(on_opt_out="erase"))),
]
SIGNALS = [NO_SIGNALS] * 12 + [
    Signals(global_privacy_control=True),
    Signals(targeted_ads_off=True),
    Signals(gpp="unreadable", gpp_section_ids=(7,)),
    Signals(us_privacy="1YYN"),
]
COOKIES = [""] * 10 + ["TOptOut=1", "ANON=A=bob", "ANON=A=x&O=1"]
OTHER_PROFILES = {
    PSEUDONYMS.owner(who): encode_profile(
        Profile(occupation="diver", exposures=(HeldExposure("ad-of-a-stranger", 9, 9, NOW_S),)), PSEUDONYMS.owner(who)
    )
    for who in EVERYBODY
}


KNOWN = {
    who: {
        "preference": encode_preference(Preference(), PSEUDONYMS.owner(who)),
        "profile": encode_profile(
            Profile(exposures=(HeldExposure(f"ad-of-{who.id}", 1, 0, NOW_S),)), PSEUDONYMS.owner(who)
        ),
    }
    for who in EVERYBODY
}


class MemoryStore(FakeStore):
    """The fake without its delays: even a sleep of zero seconds takes as long as a whole history."""

    def _answer_within(self, budget_s: float) -> None:
        """Answer at once."""


class Violation(AssertionError):
    """An invariant was broken."""


class Writing(NamedTuple):
    """An activity between its read and its write."""

    item: PlannedRequest
    held: list[StoredRecords]


class Asking(NamedTuple):
    """A decision after its read; ``limited`` if one of its subjects had opted out before it began."""

    planned: Plan
    fetched: list[StoredRecords]
    limited: bool


class History:
    """One history. ``step`` performs one random operation and raises ``Violation``."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.rulebook = chance.choice(RULEBOOKS)
        self.store = MemoryStore()
        self.opted_out: set[Subject] = set()
        self.linked = False
        self.writing: list[Writing] = []
        self.asking: list[Asking] = []
        self.behavioural = 0
        self.written = 0
        self.key = 0
        for who in EVERYBODY:
            if chance.random() < 0.7:
                self.store.put(who, **KNOWN[who])

    def run(self, steps: int = STEPS) -> None:
        for _ in range(steps):
            self.step()
        while self.writing:
            self.land()
        while self.asking:
            self.answer()

    def step(self) -> None:
        actions = (self.choose, self.begin_activity, self.begin_activity, self.begin_decision, self.rare)
        ends = (self.land,) * len(self.writing) + (self.answer,) * len(self.asking)
        self.chance.choice(actions + ends)()

    def rare(self) -> None:
        self.chance.choice((self.link, self.erase, self.lose_preference, self.misplace))()

    def choose(self) -> None:
        """A choice is acknowledged."""
        who = self.chance.choice(EVERYBODY)
        choice = self.chance.choice((Choice.OPT_OUT, Choice.OPT_OUT, Choice.OPT_IN))
        self.store_choice(who, choice, self.chance.choice(list(Source)))

    def store_choice(self, who: Subject, choice: Choice, source: Source) -> None:
        (held,) = self.store.read([who], BUDGET_S)
        self.key += 1
        after = apply_choice(
            current_of(held),
            ChoiceMade(choice=choice, source=source, change_key=self.key.to_bytes(8, "big"), made_at_ms=NOW_S * 1000),
        )
        change = RecordChange(who, held, preference=encode_preference(after, held.owner))
        if choice is Choice.OPT_OUT and self.rulebook.policy.opt_out.on_opt_out == "erase":
            change = change._replace(profile=b"", seen=b"")
        must(self.store.commit([change], BUDGET_S)[0].landed, "a choice was refused")
        (self.opted_out.add if choice is Choice.OPT_OUT else self.opted_out.discard)(who)

    def link(self) -> None:
        self.linked = not self.linked

    def erase(self) -> None:
        who = self.chance.choice(EVERYBODY)
        (held,) = self.store.read([who], BUDGET_S)
        change = RecordChange(who, held, *erase(held, NOW_S * 1000))
        must(self.store.commit([change], BUDGET_S)[0].landed, "an erasure was refused")
        if held.preference is None and held.profile is not None:
            self.opted_out.add(who)

    def lose_preference(self) -> None:
        """A fault deletes a preference record. Its content is lost, and the loss must limit."""
        who = self.chance.choice(EVERYBODY)
        (held,) = self.store.read([who], BUDGET_S)
        if held.profile is not None:
            self.store.put(who, preference=None)
            self.opted_out.add(who)

    def misplace(self) -> None:
        """A fault puts one subject's records under another's key, where neither can use them."""
        who, other = self.chance.sample(EVERYBODY, 2)
        held = self.store.read([other], BUDGET_S)[0]
        # A fault that restores a subject's own old records is another kind.
        if is_of(held.preference, held.owner):
            self.store.put(who, preference=held.preference, profile=held.profile)
            self.opted_out.add(who)

    def request(self) -> AdRequest:
        account = self.chance.choice([*ACCOUNTS, None])
        device = self.chance.choice([*DEVICES, None])
        links = tuple(who.id for who in ACCOUNTS if self.linked and account and who is not account)
        return AdRequest(
            identity=Identity(account.id if account else "", links, device.id if device else ""),
            client_country="US",
            cookie_header=self.chance.choice(COOKIES),
            signals=self.chance.choice(SIGNALS),
        )

    def planned(self) -> Plan:
        planned = plan([self.request()], self.rulebook.policy, NOW_S)
        request, cookies, *_ = planned.items[0]
        if request.signals.global_privacy_control and self.chance.random() < 0.5:
            # The signal outlasts its request.
            for who in EVERYBODY:
                if who.id in (request.identity.account_id, request.identity.device_id or cookies.muid):
                    self.store_choice(who, Choice.OPT_OUT, Source.GPC)
        return planned

    def begin_activity(self) -> None:
        planned = self.planned()
        if planned.subjects:
            self.writing.append(Writing(planned.items[0], self.store.read(planned.subjects, BUDGET_S)))

    def land(self) -> None:
        """Try to write an activity, based on a read that may be outdated."""
        item, held = self.writing.pop(self.chance.randrange(len(self.writing)))
        who = item.subjects[0]
        forbidden = forbidden_by_request(item, self.rulebook.policy) or forbidden_by_records(
            held, self.rulebook.policy, NOW_S
        )
        activity = Activity(ActivityKind.AD_IMPRESSION, NOW_S, ad_id=mark_of(who))
        entry = PendingActivity(str(self.chance.randrange(4)), activity, forbidden)
        values = record(held[0], [entry], self.rulebook.policy, NOW_S).values
        if values is None:
            return
        linked = tuple((each, of.preference) for each, of in zip(item.subjects[1:], held[1:], strict=True))
        change = RecordChange(who, held[0], *values, seen_ttl_s=1, linked=linked)
        landed = self.store.commit([change], BUDGET_S)[0].landed
        must(not (landed and self.opted_out.intersection(item.subjects)), "I2: a write landed after an opt-out")
        self.written += landed

    def begin_decision(self) -> None:
        planned = self.planned()
        limited = any(subject in self.opted_out for subject in planned.subjects)
        self.asking.append(Asking(planned, self.store.fetch(planned.subjects, BUDGET_S), limited))

    def answer(self) -> None:
        planned, fetched, limited = self.asking.pop(self.chance.randrange(len(self.asking)))
        decision = self.decided(planned, fetched)
        if decision.mode is Mode.LIMITED:
            swapped = [
                each._replace(profile=OTHER_PROFILES[each.owner]) if is_of(each.profile, each.owner) else each
                for each in fetched
            ]
            other = self.decided(planned, swapped)
            must(wire.responses([decision]) == wire.responses([other]), "I6: a limited answer depends on a profile")
            return
        self.behavioural += 1
        must(not limited, "I1: a behavioural answer to a request that began after an opt-out")
        must(decision.behavioural is not None, "a behavioural answer without features")
        seen = {bytes(each[0]).decode() for each in decision.behavioural.exposures} if decision.behavioural else set()
        must(seen == {mark_of(planned.subjects[0])}, "I5: another person's data")

    def decided(self, planned: Plan, fetched: list[StoredRecords]) -> Decision:
        return decide(planned, fetched, [()], self.rulebook, NOW_S)[0]


def is_of(record: bytes | None, owner: bytes) -> bool:
    """Return whether there is a record, and of this owner."""
    return record is not None and owner[:8] in record[: PREFIX.size]


def current_of(held: StoredRecords) -> Preference:
    """The preference that a choice changes; an explicit choice may replace an unreadable record."""
    if held.preference is None:
        return Preference()
    try:
        return decode_preference(held.preference, held.owner)
    except RecordUnreadable:
        return Preference()


def mark_of(who: Subject) -> str:
    """An ad that only this subject has seen."""
    return f"ad-of-{who.id}"


def must(holds: object, otherwise: str) -> None:
    if not holds:
        raise Violation(otherwise)


class Ran(NamedTuple):
    """Counts over all histories; without writes and behavioural answers they would prove nothing."""

    histories: int = 0
    written: int = 0
    behavioural: int = 0


def run_histories(first_seed: int, count: int) -> Ran:
    """Run histories, each with its own seed, which reproduces a violation."""
    ran = Ran()
    for seed in range(first_seed, first_seed + count):
        history = History(random.Random(seed))
        try:
            history.run()
        except Violation as violation:
            raise Violation(f"history {seed}: {violation}") from violation
        ran = Ran(ran.histories + 1, ran.written + history.written, ran.behavioural + history.behavioural)
    return ran
