"""Who may use the inspector, which could ask about anyone.

With a clients file: a client with the role ``inspect``, by its certificate or a bearer token, as its sign-in adds it.
Without one: everyone who reaches the pages, unless a proxy is trusted, as then the people do who sign in there.
"""

from typing import Final

from google.rpc import code_pb2
from starlette.requests import HTTPConnection

from server.security.admission import Admission, Denial
from server.security.http_credentials import presented_in
from server.security.roles import Role
from server.web.rendering import AdmitVisitor, admit_everyone
from server.web.texts import mark
from server.web.visit import Proxies, VisitRefused

_PATH: Final = "/inspect"


def inspector_is_open(admission: Admission, proxies: Proxies) -> bool:
    """Return whether there is anyone who may use the inspector."""
    return not admission.is_open or not proxies.any


def inspector_admission(admission: Admission, proxies: Proxies) -> AdmitVisitor:
    """Return what raises ``VisitRefused`` for everyone who may not use the inspector."""
    if not inspector_is_open(admission, proxies):
        return refuse_everyone
    if admission.is_open:
        return admit_everyone

    async def admit(request: HTTPConnection) -> str:
        caller = admission.admit(_PATH, Role.INSPECT, presented_in(request.scope))
        if isinstance(caller, Denial):
            await admission.slow(caller)
            status = 401 if caller.code == code_pb2.UNAUTHENTICATED else 403
            raise VisitRefused(status, mark("The inspector is for clients with the role inspect."))
        return caller.name

    return admit


async def refuse_everyone(_: HTTPConnection) -> str:
    """Raise ``VisitRefused``."""
    raise VisitRefused(403, mark("The inspector is closed here: this address serves people who sign in."))
