"""The smallest changes that lift a limit: by example, and the same as trying every set of changes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from random import Random
from typing import Any

import pytest

from targeting.decision import Rulebook
from targeting.inspection.changes import CONSENT_STRINGS, FLAGS, Change, after, possible_changes
from targeting.inspection.consent_string import consenting_string
from targeting.inspection.situation import Situation
from targeting.inspection.smallest import MAX_STEPS, MAX_WAYS, MinimalSets, minimal_sets, smallest_changes
from targeting.model import AdRequest, Identity, Signals, Subject, SubjectKind
from targeting.places.geo import IpLocation
from targeting.policy.policy import DEFAULT_POLICY, GdprPolicy
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.profile import Profile, encode_profile
from targeting.records.stored_records import StoredRecords
from targeting.signals.nap import Nap
from targeting.signals.tcf.read import read_tc_string
from tests.targeting.signals.strings import STRINGS, VENDOR

NOW_S = 1_780_000_000.0
RULEBOOK = Rulebook(replace(DEFAULT_POLICY, gdpr=GdprPolicy(host_vendor_id=VENDOR)))
OWNER = bytes(range(16))
ALICE = Subject(SubjectKind.ACCOUNT, "alice")
BOB = Subject(SubjectKind.ACCOUNT, "bob")
PHONE = Subject(SubjectKind.DEVICE, "phone")
IN_AMERICA = IpLocation("US", "")
IN_GERMANY = IpLocation("DE", "")

OUT_OF_SCOPE = "the request is out of the GDPR's scope"
CONSENT = f"the TC string gives vendor {VENDOR} consent for every purpose"
NO_GPC = "the browser does not send Global Privacy Control"


def held(subject: Subject, choice: Choice | None = None, *, profile: bool = True, **more: Any) -> StoredRecords:
    preference = None if choice is None else encode_preference(Preference(choice=choice, **more), OWNER)
    return StoredRecords(subject.kind, OWNER, preference, encode_profile(Profile(), OWNER) if profile else None)


def situation(*records: tuple[Subject, StoredRecords], **request: Any) -> Situation:
    given = {"identity": Identity("alice"), "ip_location": IN_AMERICA, **request}
    return Situation(AdRequest(**given), dict(records or [(ALICE, held(ALICE, Choice.NONE))]))


def smallest(start: Situation, rulebook: Rulebook = RULEBOOK) -> list[list[str]]:
    return [[change.text for change in each] for each in smallest_changes(start, rulebook, NOW_S).sets]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (situation(), [[]]),
        (situation(signals=Signals(global_privacy_control=True)), [[NO_GPC]]),
        (
            situation((ALICE, held(ALICE, Choice.OPT_OUT)), signals=Signals(global_privacy_control=True)),
            [[NO_GPC, "the account opts in"]],
        ),
        (situation(ip_location=IN_GERMANY), [[CONSENT], [OUT_OF_SCOPE]]),
        (
            situation(ip_location=IN_GERMANY, signals=Signals(tcf_consent="junk", child_directed=True)),
            [["the request is not marked as child-directed", CONSENT],
             ["the request is not marked as child-directed", OUT_OF_SCOPE]],
        ),
        (
            situation(cookie_header="TOptOut=1; MUID=zzz; ANON=A=x&O=1"),
            [["there is no TOptOut cookie, or it is exactly 0", "the ANON cookie carries no opt-out",
              "there is one readable MUID cookie, or none"]],
        ),
        (situation(signals=Signals(us_privacy="1YYN")),
         [["the US Privacy string does not opt out and is readable, or is absent"]]),
        (situation(signals=Signals(gpp="junk", gpp_section_ids=(7,))),
         [["the GPP string withholds nothing and is readable, or is absent"]]),
        (situation(signals=Signals(do_not_track=True)), [[]]),
        (situation((ALICE, held(ALICE, Choice.NONE, birth_day=20_000))), [["no birth date is stored for the account"]]),
        (situation((ALICE, held(ALICE))), [["the account opts in"]]),
        (situation((ALICE, held(ALICE, Choice.NONE)._replace(preference=b"?"))), [["the account opts in"]]),
        (situation((ALICE, held(ALICE, Choice.NONE, profile=False))), [["something is known about the account"]]),
        (situation((ALICE, held(ALICE, Choice.NONE)._replace(profile=b"?"))),
         [["something is known about the account"]]),
        (situation(identity=Identity()), [["an account or device is known, and so is something about it"]]),
        (
            situation((ALICE, held(ALICE, Choice.NONE)), (BOB, held(BOB, Choice.OPT_OUT)),
                      (PHONE, held(PHONE, Choice.OPT_OUT)), identity=Identity("alice", ("bob",), "phone")),
            [["the browser or device opts in", "the linked account opts in"]],
        ),
        (situation()._replace(naps=(Nap(age=7),)), [["the NAP cookie states no age"]]),
    ],
)  # fmt: skip
def test_the_smallest_changes_are(start: Situation, expected: list[list[str]]) -> None:
    assert smallest(start) == expected


def test_where_no_string_can_name_us_only_the_scope_is_left() -> None:
    assert smallest(situation(ip_location=IN_GERMANY), Rulebook(DEFAULT_POLICY)) == [[OUT_OF_SCOPE]]


def test_a_gdpr_section_and_other_sections_are_named_apart() -> None:
    signals = Signals(gpp=STRINGS["usnat-sale-opt-out"], gpp_section_ids=(2, 7))
    for changes in smallest_changes(situation(signals=signals), RULEBOOK, NOW_S).sets:
        assert after(situation(signals=signals), changes).is_behavioural(RULEBOOK, NOW_S)


def test_nothing_lifts_what_no_change_reaches() -> None:
    assert minimal_sets([1, 2], lambda _: False) == MinimalSets([], is_complete=True)


def test_changes_that_matter_to_nothing_are_no_obstacle() -> None:
    found = minimal_sets(range(60), lambda chosen: 57 in chosen and (58 in chosen or 59 in chosen))
    assert found == MinimalSets([(57, 58), (57, 59)], is_complete=True)


def test_many_linked_accounts_hide_no_way() -> None:
    friends = [Subject(SubjectKind.ACCOUNT, f"friend {number}") for number in range(14)]
    records = [(friend, held(friend, Choice.NONE)) for friend in friends]
    records[-1] = (friends[-1], held(friends[-1], Choice.OPT_OUT))
    start = situation(
        (ALICE, held(ALICE, Choice.NONE, profile=False)),
        *records,
        identity=Identity("alice", tuple(friend.id for friend in friends)),
        ip_location=IN_GERMANY,
    )
    lifting = ["the linked account opts in", "something is known about the account"]
    found = smallest(start)
    assert len(possible_changes(start, RULEBOOK, NOW_S)) > 12
    assert {frozenset(each) for each in found} == {frozenset([way, *lifting]) for way in (CONSENT, OUT_OF_SCOPE)}


@pytest.mark.parametrize(
    "holds",
    [
        lambda chosen: len(chosen) > 3,
        lambda chosen: all({2 * pair, 2 * pair + 1} & set(chosen) for pair in range(20)),
    ],
    ids=["any four", "one of each of twenty pairs"],
)
def test_a_search_that_would_take_long_ends_early_and_says_so(holds: Callable[[tuple[int, ...]], bool]) -> None:
    tried: list[tuple[int, ...]] = []

    def counted(chosen: tuple[int, ...]) -> bool:
        tried.append(chosen)
        return holds(chosen)

    found = minimal_sets(range(40), counted)
    assert not found.is_complete
    assert len(tried) <= MAX_STEPS + 40 * MAX_WAYS
    for each in found.sets:
        assert holds(each)
        assert not any(holds(tuple(item for item in each if item != left_out)) for left_out in each)


def test_a_search_that_takes_too_many_steps_says_so() -> None:
    threes = [set(range(first, first + 3)) for first in range(0, 30, 3)]
    found = minimal_sets(range(30), lambda chosen: any(each <= set(chosen) for each in threes))
    assert not found.is_complete
    assert found.sets
    assert all(set(each) in threes for each in found.sets)


def test_every_signal_has_a_text_or_changes_of_its_own() -> None:
    assert not FLAGS.keys() & CONSENT_STRINGS
    assert FLAGS.keys() | CONSENT_STRINGS == {*Signals._fields}


@pytest.mark.parametrize("vendor", [1, VENDOR, 65_535])
def test_the_consenting_string_consents_for_one_vendor(vendor: int) -> None:
    string = read_tc_string(consenting_string(vendor))
    assert all(string.has_basis(purpose, vendor) for purpose in range(1, 12))
    assert not string.has_basis(4, vendor - 1 or 2)


def test_a_situation_shows_no_person() -> None:
    assert repr(situation()) == "Situation(1 subjects)"


TC_STRINGS = ["", "", "junk", *(text for name, text in STRINGS.items() if name.startswith("tcf"))]
GPP_STRINGS = ["", "", "", "junk", *(text for name, text in STRINGS.items() if name.startswith("us"))]
RARELY = (False, False, False, True)


def any_situation(random: Random) -> Situation:
    signals = Signals(
        child_directed=random.choice(RARELY),
        targeted_ads_off=random.choice(RARELY),
        global_privacy_control=random.choice(RARELY),
        do_not_track=random.choice(RARELY),
        industry_opt_outs=random.choice([(), (), (), (1,)]),
        gdpr_applies=random.choice([None, None, True, False]),
        tcf_consent=random.choice(TC_STRINGS),
        gpp=random.choice(GPP_STRINGS),
        gpp_section_ids=random.choice([(), (), (7,), (2,), (2, 7), (-1,)]),
        us_privacy=random.choice(["", "", "1YNN", "1YYN", "xxxx"]),
    )
    identity = random.choice([Identity("alice"), Identity("alice", ("bob",)), Identity("", (), "phone"), Identity()])
    cookies = random.choice(["", "", "TOptOut=1", "MUID=zzz", "ANON=A=x&O=1", f"MUID={1:032x}; CC=FR"])
    place = random.choice([IN_AMERICA, IN_AMERICA, IN_GERMANY, IpLocation("", "")])
    request = AdRequest(identity=identity, ip_location=place, cookie_header=cookies, signals=signals)
    subjects = [ALICE, BOB, PHONE, Subject(SubjectKind.DEVICE, f"{1:032x}")]
    return Situation(request, {subject: any_records(random, subject) for subject in subjects})


def any_records(random: Random, subject: Subject) -> StoredRecords:
    choice = random.choice([None, Choice.NONE, Choice.NONE, Choice.OPT_OUT, Choice.OPT_IN])
    more = random.choice([{}, {}, {"birth_day": 20_000}, {"birth_day": 5_000}])
    records = held(subject, choice, profile=random.choice([True, True, False]), **(more if choice is not None else {}))
    return records._replace(preference=random.choice([records.preference] * 6 + [b"?"]))


def by_trying_everything(
    changes: Sequence[Change], lifts: Callable[[tuple[Change, ...]], bool]
) -> Iterator[frozenset[str]]:
    """Yield every minimal set, by size; every set is tried that holds no smaller one."""
    found: list[frozenset[str]] = []
    for size in range(len(changes) + 1):
        for chosen in combinations(changes, size):
            texts = frozenset(change.text for change in chosen)
            if not any(each <= texts for each in found) and lifts(chosen):
                found.append(texts)
                yield texts


def compare(number: int, seed: int) -> None:
    random, compared = Random(seed), 0
    while compared < number:
        start = any_situation(random)
        changes = possible_changes(start, RULEBOOK, NOW_S)
        if len(changes) > 9:
            # Trying everything takes time in powers of two.
            continue
        compared += 1
        cache: dict[frozenset[str], bool] = {}

        def lifts(
            chosen: tuple[Change, ...], start: Situation = start, cache: dict[frozenset[str], bool] = cache
        ) -> bool:
            return cache.setdefault(
                frozenset(change.text for change in chosen), after(start, chosen).is_behavioural(RULEBOOK, NOW_S)
            )

        expected = set(by_trying_everything(changes, lifts))
        assert {frozenset(each) for each in smallest(start)} == expected, start.request.signals


def test_it_is_what_trying_everything_finds() -> None:
    compare(150, seed=1)


@pytest.mark.slow
def test_it_is_what_trying_everything_finds_in_ten_thousand_requests() -> None:
    compare(10_000, seed=2)
