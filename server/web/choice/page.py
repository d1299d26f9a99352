"""The page itself: what the template shows, and the answers to each request."""

import json
from collections.abc import Callable
from typing import Final, NamedTuple

from adtargeting.v1 import preference_pb2 as pref
from google.protobuf.json_format import MessageToDict
from starlette.responses import Response

from server.web.calls import Calls
from server.web.choice.actions import ACCOUNT, BROWSER, NO_ACCOUNT, choose, new_code
from server.web.choice.facts import Facts, ad_request_of, read_facts
from server.web.choice.held import CHOICES, held_of
from server.web.choice.outcome import Outcome
from server.web.choice.partners import GENDERS, partners_of
from server.web.choice.status import status_of
from server.web.forms import Form
from server.web.rendering import Site, json_response
from server.web.texts import Texts, mark
from server.web.visit import Visit, VisitRefused
from targeting.recording.choice import opt_out_cookie
from targeting.records.preference import Choice

SCHEMA: Final = "adtargeting.choice"
DATA_SCHEMA: Final = "adtargeting.person-data"
SCHEMA_VERSION: Final = 1
_NAMES: Final = {pref.CHOICE_OPT_OUT: "opt-out", pref.CHOICE_OPT_IN: "opt-in"}

Action = Callable[[Calls, Visit, Form, Texts], Outcome]
Handler = Callable[[Site, Visit, Form], Response]


class Block(NamedTuple):
    """The choice for the account or for the browser: its state in a sentence, and a code for each button."""

    scope: str
    state: str
    opt_out_code: str
    opt_in_code: str


def show(site: Site, visit: Visit, _: Form) -> Response:
    """Show the page, and keep a signal that lasts. Raises ``InvalidRequest``."""
    return _shown(site, visit, None)


def show_after(action: Action) -> Handler:
    """Show the page after a form, with what became of it."""
    return lambda site, visit, form: _shown(site, visit, action(site.calls, visit, form, site.texts(visit.language)))


def status_json(site: Site, visit: Visit, _: Form) -> Response:
    """Return the status for the operator's own settings page. Raises ``InvalidRequest``."""
    return _as_json(site, visit, None)


def choose_json(site: Site, visit: Visit, form: Form) -> Response:
    """Store a choice, and return its receipt and the status after it. Raises ``InvalidRequest``, ``VisitRefused``."""
    return _as_json(site, visit, choose(site.calls, visit, form, site.texts(visit.language)))


def _shown(site: Site, visit: Visit, outcome: Outcome | None) -> Response:
    facts, texts = _facts(site, visit, outcome), site.texts(visit.language)
    response = site.render(
        "choice.html",
        visit.language,
        status=outcome.status if outcome else 200,
        outcome=outcome,
        standing=status_of(facts, texts),
        blocks=_blocks(facts, texts),
        partners=partners_of(facts, texts),
        held=held_of(facts, texts),
        genders=[(str(number), texts.say(name)) for number, name in GENDERS.items()],
        has_account=visit.has_account,
        has_browser_id=bool(visit.device_id),
    )
    return _with_cookie(response, facts, outcome)


def _as_json(site: Site, visit: Visit, outcome: Outcome | None) -> Response:
    facts, texts = _facts(site, visit, outcome), site.texts(visit.language)
    standing = status_of(facts, texts)
    answer: dict[str, object] = {
        "schema": SCHEMA,
        "version": SCHEMA_VERSION,
        "language": texts.code,
        "status": " ".join((standing.headline, *standing.sentences)),
        "limited": standing.limited,
        "globalPrivacyControl": standing.honours_gpc,
        ACCOUNT: _record(facts.account) if visit.has_account else None,
        BROWSER: _record(facts.browser) | {"cookie": facts.visit.cookies.opt_out},
    }
    if outcome:
        answer["outcome"] = {
            "done": outcome.is_done,
            "message": " ".join((outcome.title + ".", *outcome.sentences)),
            "version": outcome.version,
            "durability": outcome.durability,
            "code": outcome.code,
        }
    return _with_cookie(json_response(answer, outcome.status if outcome else 200), facts, outcome)


def download(site: Site, visit: Visit, _: Form) -> Response:
    """Return everything held about the account, as a file. Raises ``InvalidRequest``, ``VisitRefused``."""
    if not visit.has_account:
        raise VisitRefused(403, NO_ACCOUNT)
    profile = read_facts(site.calls, visit).profile
    if profile is None:
        raise VisitRefused(503, mark("We cannot reach what we store at the moment. Please try again in a minute."))
    data = MessageToDict(profile, always_print_fields_with_no_presence=True)
    text = json.dumps({"schema": DATA_SCHEMA, "version": SCHEMA_VERSION, "data": data}, ensure_ascii=False, indent=2)
    disposition = 'attachment; filename="your-advertising-data.json"'
    return Response(text, media_type="application/json", headers={"content-disposition": disposition})


def _facts(site: Site, visit: Visit, outcome: Outcome | None) -> Facts:
    """Read the facts as they are after the outcome; a signal of the visit that lasts is kept."""
    if outcome and outcome.cookie:
        visit = visit.after_cookie(outcome.cookie)
    facts = read_facts(site.calls, visit)
    if visit.global_privacy_control:
        site.calls.keep_signals(ad_request_of(visit, facts.policy))
    return facts


def _blocks(facts: Facts, texts: Texts) -> list[Block]:
    scopes = [(ACCOUNT, facts.account)] if facts.visit.has_account else []
    return [
        Block(scope, _state(facts, scope, record, texts), new_code(), new_code())
        for scope, record in (*scopes, (BROWSER, facts.browser))
    ]


def _state(facts: Facts, scope: str, record: pref.GetPreferencesResponse | None, texts: Texts) -> str:
    if record is None:
        return texts.say("Your choice cannot be looked up at the moment.")
    if record.choice:
        date = texts.day_at(record.changed_at.seconds)
        return texts.say("%(choice)s since %(date)s.", choice=texts.say(CHOICES[record.choice]), date=date)
    if scope == BROWSER and facts.visit.cookies.opt_out:
        return texts.say("Opted out, by a cookie in this browser.")
    return texts.say("No choice made yet.")


def _record(record: pref.GetPreferencesResponse | None) -> dict[str, object]:
    if record is None:
        return {"choice": None, "readable": False}
    since = record.changed_at.ToJsonString() if record.choice else None
    return {"choice": _NAMES.get(record.choice), "since": since, "version": record.version, "readable": True}


def _with_cookie(response: Response, facts: Facts, outcome: Outcome | None) -> Response:
    """Set the cookie of a choice; else renew that of an opt-out, which browsers drop after 400 days."""
    cookie = outcome.cookie if outcome else ""
    if not outcome and facts.visit.cookies.opt_out:
        cookie = opt_out_cookie(Choice.OPT_OUT, Choice.OPT_OUT, of_browser=True, policy=facts.policy.opt_out)
    if cookie:
        response.headers.append("set-cookie", cookie)
    return response
