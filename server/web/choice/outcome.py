"""What became of a form, as the page says it first."""

from typing import Final, NamedTuple

from adtargeting.v1 import preference_pb2 as pref
from google.rpc import code_pb2

from server.errors import refusal_of
from server.store.ports import StoreTimeout
from server.web.texts import Texts, mark

_STATUS: Final = {
    code_pb2.INVALID_ARGUMENT: 400,
    code_pb2.FAILED_PRECONDITION: 409,
    code_pb2.UNAVAILABLE: 503,
    code_pb2.INTERNAL: 500,
}
_SENTENCES: Final = {
    400: mark("Nothing was changed: the form holds something that cannot be stored. Please correct it and repeat."),
    409: mark("Nothing was changed: your choice, your age, or what is stored forbids it."),
    503: mark("Nothing was changed: we cannot reach what we store at the moment. Please try again in a minute."),
    500: mark("Nothing was changed: something went wrong on our side. Please try again later."),
}
_IN_DOUBT: Final = mark("We could not store this in time. Please look at the status below, and repeat it if need be.")
_WRONG_FIELDS: Final = {
    "declared.birth_date": mark("The birth date cannot be taken. Please write it as day, month and year, after 1900."),
    "declared.gender": mark("The gender cannot be taken. Please choose one of the list."),
    "declared.occupation": mark(
        "The occupation cannot be taken. Please write at most 64 characters, and no e-mail address or phone number."
    ),
    "declared.postal_code": mark("The postal code cannot be taken. Please write letters, digits, spaces or hyphens."),
    "declared.country": mark("The country cannot be taken. Please choose one of the list."),
    "declared.language": mark("The language cannot be taken. Please choose one of the list."),
}
_CONFIRMED: Final = mark("Confirmed: it is stored safely.")
_ONE_SERVER: Final = mark("Not yet confirmed: it is in force, but not enough servers hold it yet. We keep checking.")
_NO_DISK: Final = mark("Not yet confirmed: it is in force, but not yet written to a disk. We keep checking.")


class Outcome(NamedTuple):
    """A title, sentences, and the lines of a receipt; ``status`` is HTTP's, ``code`` the one to quote to support."""

    status: int
    title: str
    sentences: tuple[str, ...] = ()
    receipt: tuple[tuple[str, str], ...] = ()
    code: str = ""
    cookie: str = ""
    version: int = 0
    durability: str = ""

    @property
    def is_done(self) -> bool:
        """Whether what was asked for is done."""
        return self.status < 400


def failure(problem: Exception, texts: Texts) -> Outcome:
    """Say that nothing was changed, and why; an unforeseen problem is logged under an opaque id, which is shown."""
    refusal = refusal_of(problem)
    status = _STATUS.get(refusal.code, 500)
    sentence = _IN_DOUBT if isinstance(problem, StoreTimeout) else _SENTENCES[status]
    wrong = _WRONG_FIELDS.get(getattr(problem, "field", ""))
    sentences = [texts.say(each) for each in (sentence, wrong) if each]
    if status == 500:
        sentences.append(texts.say("Please quote to support: %(code)s", code=refusal.message.rpartition(" ")[2]))
    return Outcome(status, texts.say("This did not work"), tuple(sentences))


def stored_choice(
    answer: pref.SetPreferenceResponse, after: pref.GetPreferencesResponse, code: str, texts: Texts
) -> Outcome:
    """Return the receipt of a choice; ``after`` is the record as it was read after it."""
    made = next((change for change in after.history if change.version == answer.version), None)
    at_s = made.changed_at.seconds if made else after.changed_at.seconds
    opted_out = (made or after).choice == pref.CHOICE_OPT_OUT
    sentences = [texts.say(_durability(answer))]
    if after.version != answer.version:
        sentences.append(texts.say("This form was sent before. You have chosen since; the status below is in force."))
    return Outcome(
        status=200,
        title=texts.say("You are opted out") if opted_out else texts.say("You are opted in"),
        sentences=tuple(sentences),
        receipt=(
            (texts.say("When"), texts.moment(at_s)),
            (texts.say("Version"), texts.number(answer.version)),
            (texts.say("Code to quote to support"), code),
        ),
        code=code,
        cookie=answer.set_cookie,
        version=answer.version,
        durability=pref.Durability.Name(answer.durability).removeprefix("DURABILITY_"),
    )


def _durability(answer: pref.SetPreferenceResponse) -> str:
    """Return whether the choice is confirmed, and what is missing if it is not."""
    if answer.durability == pref.DURABILITY_CONFIRMED:
        return _CONFIRMED
    return _ONE_SERVER if pref.CONFIRMATION_REPLICAS in answer.missing_confirmations else _NO_DISK
