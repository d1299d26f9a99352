"""Accounts, browsers and links as a model: the most restrictive wins, in decisions and in writes alike.

The model knows only who has chosen what. Cookies are deleted, devices are new, accounts are linked and profiles are
erased in between; none of that lifts an opt-out, and nothing but an opt-out of a subject in the request limits.
"""

from typing import Any, NamedTuple

from adtargeting.v1 import preference_pb2
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from targeting.model import AdRequest, Identity, Mode, Subject, SubjectKind
from targeting.reasons import Reason, reasons_of
from tests.server.calls.direct_service import Service, viewed
from tests.server.store.fake_store import FakeStore

ACCOUNTS = ("alice", "bob")
CHOICES = st.sampled_from(["opt_out", "opt_out", "opt_in"])
LIMITS = {SubjectKind.ACCOUNT: Reason.ACCOUNT_OPT_OUT, SubjectKind.DEVICE: Reason.DEVICE_OPT_OUT}


class Browser(NamedTuple):
    """A browser as it is now: its id, and whether it still has the cookie of its opt-out."""

    muid: str
    opt_out_cookie: bool = False

    @property
    def subject(self) -> Subject:
        return Subject(SubjectKind.DEVICE, self.muid)

    @property
    def cookies(self) -> str:
        return f"MUID={self.muid}" + ("; TOptOut=1" if self.opt_out_cookie else "")


class LinkedPeople(RuleBasedStateMachine):
    browsers = Bundle("browsers")

    @initialize(target=browsers)
    def start(self) -> Any:
        self.store = FakeStore()
        self.service = Service(self.store, self.store)
        self.opted_out: set[Subject] = set()
        self.links: set[frozenset[str]] = set()
        self.number = 0
        return multiple(self.another_browser(), self.another_browser())

    def another_browser(self) -> Browser:
        self.number += 1
        return Browser(f"{self.number:032x}")

    @rule(target=browsers)
    def new_device(self) -> Browser:
        return self.another_browser()

    @rule(target=browsers, browser=consumes(browsers))
    def delete_cookies(self, browser: Browser) -> Browser:
        """The browser gets another id: its own choice is gone with the old one, an account's is not."""
        return self.another_browser()

    @rule(target=browsers, browser=consumes(browsers), choice=CHOICES, takes_cookies=st.booleans())
    def choose_for_a_browser(self, browser: Browser, choice: str, takes_cookies: bool) -> Browser:
        answer = self.choose(browser.subject, choice, device_id=browser.muid)
        return browser._replace(opt_out_cookie=takes_cookies and answer.set_cookie.startswith("TOptOut=1"))

    @rule(account=st.sampled_from(ACCOUNTS), choice=CHOICES)
    def choose_for_an_account(self, account: str, choice: str) -> None:
        self.choose(Subject(SubjectKind.ACCOUNT, account), choice, account_id=account)

    @rule(one=st.sampled_from(ACCOUNTS), other=st.sampled_from(ACCOUNTS))
    def link(self, one: str, other: str) -> None:
        if one != other:
            self.links.add(frozenset((one, other)))

    @rule(account=st.sampled_from(ACCOUNTS))
    def erase(self, account: str) -> None:
        self.service.delete(account_id=account)
        assert not self.service.get(account_id=account).profile_held

    @rule(browser=browsers)
    def erase_a_browsers_profile(self, browser: Browser) -> None:
        self.service.delete(device_id=browser.muid)

    @rule(account=st.sampled_from(ACCOUNTS), browser=browsers)
    def do_something(self, account: str, browser: Browser) -> None:
        before = self.service.get(account_id=account).version
        (outcome,) = self.service.outcomes(viewed(account_id=account, cookie_header=browser.cookies))
        expected = self.restrictions([Subject(SubjectKind.ACCOUNT, account), browser.subject], browser)
        assert outcome == self.outcome_of(expected)
        assert self.service.get(account_id=account).version == before + (outcome == "RECORDED")

    @rule(browser=browsers)
    def do_something_without_an_account(self, browser: Browser) -> None:
        (outcome,) = self.service.outcomes(viewed(device_id=browser.muid, cookie_header=browser.cookies))
        assert outcome == self.outcome_of(self.restrictions([browser.subject], browser))

    @rule(account=st.sampled_from(ACCOUNTS), browser=browsers)
    def see_ads(self, account: str, browser: Browser) -> None:
        """With the account and all that is linked to it, and without anybody signed in."""
        linked = tuple(sorted(other for link in self.links if account in link for other in link - {account}))
        accounts = [Subject(SubjectKind.ACCOUNT, each) for each in (account, *linked)]
        self.check_decision(Identity(account, linked), [*accounts, browser.subject], browser)
        self.check_decision(Identity(), [browser.subject], browser)

    @invariant()
    def choices_are_what_was_chosen(self) -> None:
        for account in ACCOUNTS:
            choice = self.service.preferences(account_id=account).choice
            held = choice == preference_pb2.CHOICE_OPT_OUT
            assert held == (Subject(SubjectKind.ACCOUNT, account) in self.opted_out)

    def choose(self, subject: Subject, choice: str, **named: str) -> preference_pb2.SetPreferenceResponse:
        if choice == "opt_out":
            self.opted_out.add(subject)
            return self.service.opt_out(**named)
        self.opted_out.discard(subject)
        return self.service.opt_in(**named)

    def restrictions(self, everyone: list[Subject], browser: Browser) -> int:
        if browser.opt_out_cookie:
            return Reason.COOKIE_OPT_OUT.bit
        return reasons_of(*(LIMITS[each.kind] for each in everyone if each in self.opted_out))

    def outcome_of(self, restrictions: int) -> str:
        names = [reason.name for reason in Reason if restrictions & reason.bit]
        return " ".join(["SUPPRESSED", *names]) if names else "RECORDED"

    def check_decision(self, identity: Identity, everyone: list[Subject], browser: Browser) -> None:
        request = AdRequest(identity=identity, client_country="US", cookie_header=browser.cookies)
        decision, _ = self.service.decide_request(request)
        expected = self.restrictions(everyone, browser)
        assert decision.reasons & ~Reason.NO_PROFILE.bit == expected
        assert not (expected and decision.mode is Mode.BEHAVIOURAL)


TestLinkedPeople = LinkedPeople.TestCase
TestLinkedPeople.settings = settings(max_examples=settings().max_examples, stateful_step_count=30, deadline=None)
