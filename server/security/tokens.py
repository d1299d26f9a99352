"""Bearer tokens (RFC 6750): random texts, of which the service knows the SHA-256 only.

A token has 256 random bits, so a plain hash protects it: there is nothing to guess, and no salt or slow hash is needed.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "adt_"
"""Lets people and secret scanners recognise a token; no SHA-256 in hexadecimal begins so."""

_RANDOM_BYTES: Final = 32
_HEADER: Final = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]{1,512}=*)")


def new_token() -> str:
    """Return a new token: 256 random bits, as text that needs no quoting."""
    return PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def digest_of(token: bytes) -> bytes:
    """Return the SHA-256 of a token (32 bytes)."""
    return hashlib.sha256(token).digest()


def bearer_token(authorization: Sequence[bytes]) -> bytes | None:
    """Return the token in the values of a request's ``authorization`` headers, or None unless there is exactly one."""
    match = _HEADER.fullmatch(authorization[0]) if len(authorization) == 1 else None
    return None if match is None else match[1]
