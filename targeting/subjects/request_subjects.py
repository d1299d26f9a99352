"""The subjects of a request, whose records a decision reads. This module knows no record."""

from targeting.model import AdRequest, Subject, SubjectKind
from targeting.signals.cookies import Cookies
from targeting.subjects.identifiers import canonical, is_placeholder, is_plain, names_of, without_placeholders

_ACCOUNT, _DEVICE = SubjectKind.ACCOUNT, SubjectKind.DEVICE


def subjects_of(request: AdRequest, cookies: Cookies) -> tuple[Subject, ...]:
    """Return every subject of a request; the one whose profile may be used comes first.

    The account id of the ``ANON`` cookie is one of the linked accounts, and a ``MUID`` cookie beside another device id
    is one more device: their stored choices count, and nothing else of them. So do the choices under a name that is not
    NFC. A placeholder names no subject.
    """
    account, linked, device = request.identity
    muid, anon_id = cookies.muid, cookies.anon_id
    device = device or muid
    if not (linked or anon_id) and (not muid or muid == device) and is_plain(account) and is_plain(device):
        if account and device:
            return Subject(_ACCOUNT, account), Subject(_DEVICE, device)
        return (Subject(_ACCOUNT, account),) if account else (Subject(_DEVICE, device),) if device else ()
    return _all_subjects(request, cookies)


def _all_subjects(request: AdRequest, cookies: Cookies) -> tuple[Subject, ...]:
    """Name the subjects of a request with several of them, or with ids that are not plain."""
    muid, anon_id = cookies.muid, cookies.anon_id
    account, linked, device = without_placeholders(request.identity, muid)
    named: tuple[Subject, ...] = (Subject(_ACCOUNT, canonical(account)),) if account else ()
    if device:
        named += (Subject(_DEVICE, canonical(device)),)
    if linked or anon_id:
        for account_id in (*linked, anon_id):
            named += names_of(_ACCOUNT, account_id) if account_id else ()
    if muid and muid != device and not is_placeholder(muid):
        named += (Subject(_DEVICE, muid),)
    if not (account.isascii() and device.isascii()):
        sent = (Subject(_ACCOUNT, account), Subject(_DEVICE, device))
        named += tuple(subject for subject in sent if subject.id != canonical(subject.id))
    return named
