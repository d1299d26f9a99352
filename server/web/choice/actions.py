"""What a person does on the page: choose, correct, erase. Each is one form, and one call.

Invariant: a choice for the account never touches the browser's cookie, nor the other way round; opting in takes as
many steps as opting out.
"""

import re
import secrets
from typing import Final

from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import profile_pb2 as prof
from google.protobuf.message import Message

from server.messages.enums import enum
from server.web.calls import Calls, Person
from server.web.choice.outcome import Outcome, failure, stored_choice
from server.web.forms import Form
from server.web.texts import Texts, mark
from server.web.visit import Visit, VisitRefused
from targeting.policy.policy import OptOutPolicy
from targeting.recording.choice import opt_out_cookie
from targeting.records.preference import Choice

ACCOUNT: Final = "account"
BROWSER: Final = "browser"
_CHOICES: Final = {"opt-out": pref.CHOICE_OPT_OUT, "opt-in": pref.CHOICE_OPT_IN}

# Crockford's base 32, which leaves out letters that look or sound like others.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE: Final = re.compile(rf"(?:[{_ALPHABET}]{{4}}-){{3}}[{_ALPHABET}]{{4}}")
_FIELDS: Final = ("birth_date", "gender", "occupation", "postal_code", "country", "language")
_BAD_FORM: Final = mark("The form cannot be read. Please open the page again and repeat.")
NO_ACCOUNT: Final = mark("Please sign in first: without an account, this page can only choose for this browser.")


def new_code() -> str:
    """Make the code of a form: it names one change, however often the form is sent."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(16))
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


def choose(calls: Calls, visit: Visit, form: Form, texts: Texts) -> Outcome:
    """Store a choice. Raises ``VisitRefused``."""
    scope, choice = form.get("scope", ""), _CHOICES.get(form.get("choice", ""))
    code = form.get("code") or new_code()
    if choice is None or scope not in {ACCOUNT, BROWSER} or not _CODE.fullmatch(code):
        raise VisitRefused(400, _BAD_FORM)
    if scope == ACCOUNT:
        person, source = _account(visit), pref.SOURCE_ACCOUNT_PAGE
    elif visit.device_id:
        person, source = Person(device_id=visit.device_id), pref.SOURCE_BROWSER
    else:
        return _by_cookie(choice, calls.policy().opt_out, texts)
    try:
        request = pref.SetPreferenceRequest(choice=choice, source=source, change_id=code, ticket=code)
        answer = calls.choose(person, request)
        outcome = stored_choice(answer, calls.preferences(person), code, texts)
    except Exception as problem:  # noqa: BLE001  # the table of errors says what the person may see of it
        return failure(problem, texts)
    return outcome if scope == BROWSER else outcome._replace(cookie="")


def correct(calls: Calls, visit: Visit, form: Form, texts: Texts) -> Outcome:
    """Correct the declared attributes that differ from what is held. Raises ``VisitRefused``."""
    person = _account(visit)
    wanted = _declared(form)
    try:
        held = calls.profile(person).declared
        paths = [name for name in _fields(form) if _value(wanted, name) != _value(held, name)]
        if paths:
            calls.correct(person, wanted, paths)
    except Exception as problem:  # noqa: BLE001  # as above
        return failure(problem, texts)
    return Outcome(200, texts.say("Your details are corrected") if paths else texts.say("Nothing needed correcting"))


def erase(calls: Calls, visit: Visit, form: Form, texts: Texts) -> Outcome:
    """Erase the profile. Raises ``VisitRefused``."""
    person = _account(visit)
    if form.get("sure") != "yes":
        raise VisitRefused(400, mark("Nothing was erased. Please tick the box first."))
    try:
        calls.erase(person)
    except Exception as problem:  # noqa: BLE001  # as above
        return failure(problem, texts)
    return Outcome(200, texts.say("Your profile is erased"), (texts.say("An opt-out stays in force."),))


def _account(visit: Visit) -> Person:
    if not visit.has_account:
        raise VisitRefused(403, NO_ACCOUNT)
    return Person(account_id=visit.account_id)


def _by_cookie(choice: int, policy: OptOutPolicy, texts: Texts) -> Outcome:
    """Choose for a browser that we do not know: its cookie is all there is, and none of ours is made to know it."""
    opted_out = choice == pref.CHOICE_OPT_OUT
    return Outcome(
        status=200,
        title=texts.say("You are opted out") if opted_out else texts.say("You are opted in"),
        sentences=(texts.say("A cookie in this browser keeps your choice. It goes when its cookies go."),),
        cookie=opt_out_cookie(Choice(choice), Choice(choice), of_browser=True, policy=policy),
    )


def _fields(form: Form) -> list[str]:
    return [name for name in _FIELDS if name in form]


def _declared(form: Form) -> prof.DeclaredAttributes:
    declared = prof.DeclaredAttributes(
        occupation=form.get("occupation", "").strip(),
        postal_code=form.get("postal_code", "").strip(),
        country=form.get("country", ""),
        language=form.get("language", ""),
    )
    gender, birth_date = form.get("gender", ""), form.get("birth_date", "")
    if not re.fullmatch(r"[0-9]?", gender) or not re.fullmatch(r"|[0-9]{4}-[0-9]{2}-[0-9]{2}", birth_date):
        raise VisitRefused(400, _BAD_FORM)
    if gender:
        declared.gender = enum(int(gender))
    if birth_date:
        year, month, day = map(int, birth_date.split("-"))
        declared.birth_date.year, declared.birth_date.month, declared.birth_date.day = year, month, day
    return declared


def _value(declared: prof.DeclaredAttributes, name: str) -> object:
    value = getattr(declared, name)
    return value.SerializeToString(deterministic=True) if isinstance(value, Message) else value
