"""Signals of one person, a store of them, and what it holds afterwards."""

from typing import Any

from server.choices.choice_store import ChoiceStore
from server.choices.signal_opt_outs import SignalOptOuts
from server.metrics.metrics import Metrics
from targeting.decision import Rulebook
from targeting.model import AdRequest, Identity, Signals, Subject, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY, Policy
from targeting.recording.choice import ChoiceMade, apply_choice
from targeting.records.preference import Choice, Preference, Source, decode_preference, encode_preference
from targeting.signals.cookies import NO_COOKIES
from tests.server.store.fake_store import PSEUDONYMS, FakeStore

ALICE, PHONE = Subject(SubjectKind.ACCOUNT, "alice"), Subject(SubjectKind.DEVICE, "phone")


MUID = "0123456789abcdef" * 2


GPC, INDUSTRY = Signals(global_privacy_control=True), Signals(industry_opt_outs=(1,))


def request(signals: Signals = GPC, account_id: str = "alice", device_id: str = "phone") -> AdRequest:
    return AdRequest(identity=Identity(account_id, (), device_id), signals=signals)


def sticky(store: FakeStore, policy: Policy = DEFAULT_POLICY, **more: Any) -> SignalOptOuts:
    watched: list[tuple[Subject, Preference]] = more.pop("watched", [])
    choices = ChoiceStore(store, lambda: Rulebook(policy), **more.pop("choices", {}))
    return SignalOptOuts(choices, Metrics(), lambda *each: watched.append(each), **more)


def all_stored(store: FakeStore, *offers: AdRequest, policy: Policy = DEFAULT_POLICY, **more: Any) -> SignalOptOuts:
    """Offer requests, and wait until nothing is left to store."""
    signals = sticky(store, policy, **more)
    for each in offers:
        signals.enqueue(each, NO_COOKIES)
    signals.start()
    signals.close()
    return signals


def stored(store: FakeStore, subject: Subject) -> Preference | None:
    (held,) = store.read([subject], 1.0)
    return None if held.preference is None else decode_preference(held.preference, held.owner)


def choice(store: FakeStore, subject: Subject) -> tuple[Choice, Source] | None:
    preference = stored(store, subject)
    return preference and (preference.choice, preference.source)


OUT_BY_GPC, OUT_BY_INDUSTRY = (Choice.OPT_OUT, Source.GPC), (Choice.OPT_OUT, Source.INDUSTRY_PAGE)


def held(choice: Choice, at_s: float) -> bytes:
    made = ChoiceMade(choice=choice, source=Source.ACCOUNT_PAGE, change_key=b"12345678", made_at_ms=int(at_s * 1000))
    return encode_preference(apply_choice(Preference(), made), PSEUDONYMS.owner(ALICE))
