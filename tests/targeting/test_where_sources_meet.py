"""Several sources of one fact: the stricter counts, whichever it is and wherever it stands."""

from itertools import permutations
from typing import Any

import pytest

from targeting.age import bracket_at, bracket_of, date_of, day_of, person_day
from targeting.consent import SPECIAL_FEATURE_POSITION
from targeting.decision import Decision, Rulebook, decide, plan
from targeting.model import AdRequest, AgeBracket, Identity, Mode, Signals, Subject, SubjectKind
from targeting.places.geo import IpLocation
from targeting.policy.policy import Policy, policy_from
from targeting.reasons import Reason, reasons_in
from targeting.records.envelope import RecordNewer, RecordUnreadable, seal, unseal
from targeting.records.preference import Choice, Preference, decode_preference, encode_preference
from targeting.records.profile import Profile, encode_profile
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import read_cookies
from targeting.signals.nap import Nap
from tests.properties.any_request import owner_of
from tests.targeting.signals.strings import STRINGS, VENDOR

NOW_S = 1_780_000_000.0
TODAY = person_day(NOW_S)
ALICE = Subject(SubjectKind.ACCOUNT, "alice")
POLICY = policy_from(
    {
        "gdpr": {"host_vendor_id": VENDOR},
        "networks": [{"id": "own", "first_party": True, "precise_position": "exact", "full_ip": True}],
    }
)
IN_THE_US, IN_GERMANY = IpLocation("US", "US-OH"), IpLocation("DE", "")
OUT_OF_SCOPE = Signals(gdpr_applies=False)


def decided(
    request: AdRequest,
    naps: tuple[Nap, ...] = (),
    policy: Policy = POLICY,
    **preferences: Preference | None,
) -> Decision:
    """Decide for Alice, who has a profile; other accounts have the preferences that are given, None: no record."""
    request = request._replace(
        identity=Identity("alice", tuple(name for name in preferences if name != "alice")),
        ip="192.0.2.77",
        networks=("own",),
    )
    planned = plan([request], policy, NOW_S)
    stored = []
    for subject in planned.subjects:
        owner = owner_of(subject)
        given = preferences.get(subject.id, Preference())
        preference = None if given is None else encode_preference(given, owner)
        profile = encode_profile(Profile(), owner) if subject == ALICE else None
        stored.append(StoredRecords(subject.kind, owner, preference, profile))
    return decide(planned, stored, [naps if stored else ()], Rulebook(policy, b"key"), NOW_S)[0]


def names(decision: Decision) -> list[str]:
    return [reason.name for reason in reasons_in(decision.reasons)]


ONE, TWO = "NAP=a", "NAP=a; NAP=b"
STATED = {
    "one cookie": (ONE, (Nap(age=20),), AgeBracket.FROM_18),
    "none": ("", (), AgeBracket.UNKNOWN),
    "one that cannot be decrypted": (ONE, (), AgeBracket.UNKNOWN),
    "two that differ": (TWO, (Nap(age=20), Nap(age=40)), AgeBracket.UNKNOWN),
    "two, one of which cannot be decrypted": (TWO, (Nap(age=20),), AgeBracket.UNKNOWN),
}


class TestAges:
    @pytest.mark.parametrize("naps", list(permutations([Nap(age=12), Nap(age=40), Nap()])))
    def test_any_nap_cookie_of_a_child_limits(self, naps: tuple[Nap, ...]) -> None:
        assert names(decided(AdRequest(ip_location=IN_THE_US), naps)) == ["UNDER_AGE"]

    @pytest.mark.parametrize("naps", [(), (Nap(age=40),), (Nap(), Nap(age=13))], ids=len)
    def test_adults_do_not(self, naps: tuple[Nap, ...]) -> None:
        assert decided(AdRequest(ip_location=IN_THE_US), naps).mode is Mode.BEHAVIOURAL

    def test_a_childs_linked_account_limits(self) -> None:
        child = Preference(birth_day=TODAY - 9 * 365)
        assert names(decided(AdRequest(ip_location=IN_THE_US), bob=child)) == ["UNDER_AGE"]

    COUNTRIES = policy_from({"children": {"age_by_country": {"US": 16, "CA": 14}}})
    FIFTEEN = Preference(birth_day=TODAY - 15 * 366)

    def test_another_subjects_country_never_lowers_an_age(self) -> None:
        request = AdRequest(ip_location=IN_THE_US)
        linked = self.FIFTEEN._replace(country="CA")
        assert names(decided(request, policy=self.COUNTRIES, bob=linked)) == ["UNDER_AGE"]

    def test_a_subject_of_whom_nothing_is_stored_has_the_age_of_the_address(self) -> None:
        request = AdRequest(ip_location=IN_THE_US)
        assert decided(request, policy=self.COUNTRIES, bob=None).mode is Mode.BEHAVIOURAL
        assert names(decided(request, policy=self.COUNTRIES, alice=self.FIFTEEN, bob=None)) == ["UNDER_AGE"]

    def test_nor_does_it_fail_to_raise_one(self) -> None:
        request = AdRequest(client_country="", ip_location=IpLocation("CA", ""))
        linked = self.FIFTEEN._replace(country="US")
        assert names(decided(request, policy=self.COUNTRIES, bob=linked)) == ["UNDER_AGE"]
        assert decided(request, policy=self.COUNTRIES, bob=self.FIFTEEN).mode is Mode.BEHAVIOURAL

    def test_a_year_of_birth_is_judged_by_the_stored_country_too(self) -> None:
        # 15 is of age in Canada, where the request is, and not in the United States, where the person lives.
        born = Signals(gdpr_applies=False, latest_birth_day=TODAY - 15 * 366)
        request = AdRequest(ip_location=IpLocation("CA", ""), signals=born)
        at_home = Preference(country="US")
        assert names(decided(request, policy=self.COUNTRIES, alice=at_home)) == ["UNDER_AGE"]
        assert decided(request, policy=self.COUNTRIES).mode is Mode.BEHAVIOURAL

    @pytest.mark.parametrize(("header", "naps", "bracket"), STATED.values(), ids=STATED)
    def test_only_a_nap_cookie_without_another_states_an_age(
        self, header: str, naps: tuple[Nap, ...], bracket: AgeBracket
    ) -> None:
        features = decided(AdRequest(ip_location=IN_THE_US, cookie_header=header), naps).behavioural
        assert features is not None
        assert features.demographics.age_bracket is bracket

    @pytest.mark.parametrize("others", [{}, {"bob": Preference(birth_day=TODAY - 70 * 366)}], ids=["alone", "linked"])
    def test_the_age_bracket_is_that_of_the_person_whose_profile_it_is(self, others: dict[str, Any]) -> None:
        alice = Preference(birth_day=TODAY - 20 * 366)
        features = decided(AdRequest(ip_location=IN_THE_US), alice=alice, **others).behavioural
        assert features is not None
        assert features.demographics.age_bracket is AgeBracket.FROM_18

    @pytest.mark.parametrize(
        ("years", "bracket"),
        [(17, AgeBracket.FROM_13), (18, AgeBracket.FROM_18), (24, AgeBracket.FROM_18), (25, AgeBracket.FROM_25),
         (34, AgeBracket.FROM_25), (35, AgeBracket.FROM_35), (64, AgeBracket.FROM_55), (65, AgeBracket.FROM_65)],
    )  # fmt: skip
    def test_brackets_end_where_they_say(self, years: int, bracket: AgeBracket) -> None:
        assert bracket_of(years) is bracket
        today = date_of(TODAY)
        assert bracket_at(day_of(today.replace(year=today.year - years)), TODAY) is bracket


@pytest.mark.parametrize("naps", [[], [(), ()]], ids=["too few", "too many"])
def test_every_request_has_nap_cookies_of_its_own(naps: list[tuple[Nap, ...]]) -> None:
    planned = plan([AdRequest(identity=Identity("alice"), ip_location=IN_THE_US)], POLICY, NOW_S)
    stored = [StoredRecords(subject.kind, owner_of(subject)) for subject in planned.subjects]
    with pytest.raises(ValueError, match="zip"):
        decide(planned, stored, naps, Rulebook(POLICY), NOW_S)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_no_person_is_decided_by_the_records_of_another(count: int) -> None:
    people = [AdRequest(identity=Identity(name), ip_location=IN_THE_US) for name in ("alice", "bob")]
    planned = plan(people, POLICY, NOW_S)
    stored = [StoredRecords(subject.kind, owner_of(subject)) for subject in (*planned.subjects, ALICE)][:count]
    with pytest.raises(ValueError, match="as many records as subjects"):
        decide(planned, stored, [(), ()], Rulebook(POLICY), NOW_S)


SCOPE = {
    "the client says US, the address DE": AdRequest(client_country="US", ip_location=IN_GERMANY),
    "the client says DE, the address US": AdRequest(client_country="DE", ip_location=IN_THE_US),
    "the cookie says FR, the address US": AdRequest(cookie_header="CC=FR", ip_location=IN_THE_US),
    "two cookies, US and FR": AdRequest(cookie_header="CC=US; CC=FR", ip_location=IN_THE_US),
    "a further country of the request": AdRequest(ip_location=IN_THE_US, shown_countries=("SE",)),
    "an unreadable cookie, and no address": AdRequest(cookie_header="CC=?"),
    "the flag says no, section 2 is named": AdRequest(
        ip_location=IN_THE_US, signals=Signals(gdpr_applies=False, gpp_section_ids=(2,))
    ),
}


@pytest.mark.parametrize("request_", SCOPE.values(), ids=SCOPE)
def test_any_country_shown_puts_a_request_in_scope(request_: AdRequest) -> None:
    assert "TCF_NO_CONSENT" in names(decided(request_))


CONSENT, NO_POSITION = STRINGS["tcf-consent"], STRINGS["tcf-no-position"]


class TestTcStrings:
    @pytest.mark.parametrize(
        "strings", list(permutations([CONSENT, NO_POSITION])), ids=["granting first", "granting last"]
    )
    def test_each_must_grant_the_position(self, strings: tuple[str, str]) -> None:
        first, second = strings
        signals = Signals(gdpr_applies=True, tcf_consent=first, more_tcf_consents=(second,))
        (network,) = decided(AdRequest(ip_location=IN_GERMANY, signals=signals)).networks
        assert network.precise_position == "none"
        assert network.masked_ip == "192.0.2.0"
        assert network.withheld.precise_position == Reason.TCF_NO_CONSENT.bit

    def test_where_each_does_it_is_there(self) -> None:
        signals = Signals(gdpr_applies=True, tcf_consent=CONSENT, more_tcf_consents=(CONSENT,))
        (network,) = decided(AdRequest(ip_location=IN_GERMANY, signals=signals)).networks
        assert (network.precise_position, network.masked_ip) == ("exact", "192.0.2.77")
        assert SPECIAL_FEATURE_POSITION == 1

    @pytest.mark.parametrize("other", ["tcf-refusal", "tcf-contact-only"])
    def test_each_must_grant_the_purpose(self, other: str) -> None:
        for first, second in permutations([CONSENT, STRINGS[other]]):
            signals = Signals(gdpr_applies=True, tcf_consent=first, more_tcf_consents=(second,))
            assert "TCF_NO_CONSENT" in names(decided(AdRequest(ip_location=IN_GERMANY, signals=signals)))


US_PRIVACY = {"1YNN": [], "1YYN": ["US_PRIVACY_OPT_OUT"], "?": ["SIGNAL_UNREADABLE"]}


@pytest.mark.parametrize("pair", list(permutations(US_PRIVACY, 2)), ids=" and ".join)
def test_us_privacy_strings_add_up(pair: tuple[str, str]) -> None:
    first, second = pair
    signals = Signals(gdpr_applies=False, us_privacy=first, more_us_privacies=(second,))
    assert set(names(decided(AdRequest(ip_location=IN_THE_US, signals=signals)))) == {
        *US_PRIVACY[first],
        *US_PRIVACY[second],
    }


CHOICES = [Choice.NONE, Choice.OPT_IN, Choice.OPT_OUT]


@pytest.mark.parametrize("others", list(permutations(CHOICES, 2)), ids=str)
def test_an_opt_out_of_any_linked_account_limits(others: tuple[Choice, Choice]) -> None:
    bob, carol = (Preference(choice=choice) for choice in others)
    limited = decided(AdRequest(ip_location=IN_THE_US), bob=bob, carol=carol).mode is Mode.LIMITED
    assert limited is (Choice.OPT_OUT in others)


LOCALES = {
    "one has a language, the other a country": (Preference(language="fr"), Preference(country="CA"), ("CA", "fr")),
    "the first has both": (
        Preference(country="CA", language="fr"),
        Preference(country="GB", language="en"),
        ("CA", "fr"),
    ),
    "neither": (Preference(), Preference(), ("US", "")),
}


@pytest.mark.parametrize(("alice", "bob", "expected"), LOCALES.values(), ids=LOCALES)
def test_the_first_stored_country_and_language_count(
    alice: Preference, bob: Preference, expected: tuple[str, str]
) -> None:
    limited = decided(AdRequest(ip_location=IN_THE_US, signals=OUT_OF_SCOPE), alice=alice, bob=bob).limited
    assert (limited.country, limited.language) == expected


SHOWN = {
    "the setting of the country": (AdRequest(client_country="GB", ip_location=IN_THE_US), ("GB", "")),
    "the cookie": (AdRequest(cookie_header="CC=GB", ip_location=IN_THE_US), ("GB", "")),
    "the address": (AdRequest(ip_location=IN_THE_US), ("US", "")),
    "the setting of the language": (AdRequest(client_language="fr", ip_location=IN_THE_US), ("US", "fr")),
    "the browser's languages": (AdRequest(accept_language="de, fr;q=0.5", ip_location=IN_THE_US), ("US", "de")),
}


@pytest.mark.parametrize(("request_", "expected"), SHOWN.values(), ids=SHOWN)
def test_a_limited_answer_tells_what_the_request_shows(request_: AdRequest, expected: tuple[str, str]) -> None:
    limited = decided(request_._replace(signals=Signals(child_directed=True))).limited
    assert (limited.country, limited.language, limited.ip_country) == (*expected, "US")


def test_a_record_of_another_owner_is_unreadable_also_in_a_newer_version() -> None:
    mine, other = owner_of(ALICE), owner_of(Subject(SubjectKind.ACCOUNT, "bob"))
    with pytest.raises(RecordNewer):
        unseal(seal(b"aP", 2, mine, b""), b"aP", 1, mine)
    with pytest.raises(RecordUnreadable) as problem:
        unseal(seal(b"aP", 2, other, b""), b"aP", 1, mine)
    assert not isinstance(problem.value, RecordNewer)


@pytest.mark.parametrize("birth_day", [None, -1, 0, 1])
def test_the_day_before_1970_is_a_birth_day(birth_day: int | None) -> None:
    record = encode_preference(Preference(birth_day=birth_day), bytes(16))
    assert decode_preference(record, bytes(16)).birth_day == birth_day


BORDERS = {
    "as many cookies as are read": ("a=b; " * 512 + f"long={'x' * 4096}", False),
    "one more": ("a=b; " * 513 + f"long={'x' * 4096}", True),
    "more cookies in 4,096 characters, which are not counted": ("a=b; " * 819 + "c", False),
    "more cookies in 4,097 characters": ("a=b; " * 819 + "cd", True),
    "as many mentions of a name as are looked at": ("CC=US; CC=US; " + "a=xTOptOut; " * 64, False),
    "one more mention": ("CC=US; CC=US; " + "a=xTOptOut; " * 65, True),
    "an ANON of 512 characters": (f"ANON=A=abc&E={'1' * 504}", False),
    "an ANON of 513": (f"ANON=A=abc&E={'1' * 505}", True),
}


@pytest.mark.parametrize(("header", "limits"), BORDERS.values(), ids=BORDERS)
def test_borders_of_cookies(header: str, limits: bool) -> None:
    cookies = read_cookies(header)
    assert (cookies.opt_out or cookies.anon_opt_out) is limits
