"""A denial as HTTP has it: 401 without a good credential, 403 without the role (RFC 9110, section 15.5)."""

from google.rpc import code_pb2
from starlette.responses import PlainTextResponse

from server.security.admission import Denial


def denied_response(denial: Denial) -> PlainTextResponse:
    """Return the answer to a denied request; its text names the role only."""
    if denial.code == code_pb2.UNAUTHENTICATED:
        return PlainTextResponse(f"{denial.message}\n", 401, {"www-authenticate": "Bearer"})
    return PlainTextResponse(f"{denial.message}\n", 403)
