"""The clients of the service: each with its name, its roles, and how it proves who it is.

Deny by default: whatever is not listed is no client. A token is found by its digest, so the time that this takes says
nothing about any listed token, and the digests are compared in constant time.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from server.security.roles import Role
from server.security.tokens import bearer_token, digest_of

_INDEX_BYTES = 8
MOST_KNOWN = 1024
"""Headers that are remembered. They go with the clients, at the next reload."""


class Client(NamedTuple):
    """One client of the clients file."""

    name: str
    roles: frozenset[Role]


class Clients:
    """All clients of a clients file, by the digests of their tokens and by the names of their certificates."""

    def __init__(self, by_digest: Mapping[bytes, Client], by_certificate_name: Mapping[str, Client]) -> None:
        """``by_digest`` is by the SHA-256 of a token (32 bytes)."""
        self._by_index = {digest[:_INDEX_BYTES]: (digest, client) for digest, client in by_digest.items()}
        self._by_certificate_name = dict(by_certificate_name)
        self._known: dict[bytes, Client] = {}
        """Headers with a listed token: found by a hash that is keyed at random, so their times say nothing either."""
        self.count = len({client.name for client in (*by_digest.values(), *by_certificate_name.values())})
        """How many clients there are."""

    def with_authorization(self, values: Sequence[bytes]) -> Client | None:
        """Return the client whose token is in the values of a request's ``authorization`` headers."""
        if len(values) == 1 and (known := self._known.get(values[0])) is not None:
            return known
        token = bearer_token(values)
        client = None if token is None else self.with_digest(digest_of(token))
        if client is not None and len(self._known) < MOST_KNOWN:
            self._known[values[0]] = client
        return client

    def with_digest(self, digest: bytes) -> Client | None:
        """Return the client with a token of this SHA-256."""
        listed = self._by_index.get(digest[:_INDEX_BYTES])
        return listed[1] if listed is not None and hmac.compare_digest(listed[0], digest) else None

    def with_certificate(self, names: Iterable[str]) -> Client | None:
        """Return the client with a certificate of these names; None also where they are those of several clients."""
        found = {client.name: client for name in names if (client := self._by_certificate_name.get(name)) is not None}
        return next(iter(found.values())) if len(found) == 1 else None
