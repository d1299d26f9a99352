"""``adtargeting store``: show whose the store is and what it holds, or accept one that is new or restored.

Works on the store itself, never over the service's port.
"""

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from server.canaries.subjects import keys_of
from server.cli.command import Command
from server.cli.failures import OK, Refused, UsageError
from server.cli.shell import Shell
from server.cli.store_access import open_store
from server.keys.secret_key import key_file
from server.settings import Settings
from server.store.identity import IdentityUnreadable, StoreIdentity
from server.store.record_cipher import PURPOSE, RecordCipher
from server.store.redis.backend import Backend, backend_of
from server.store.redis.handshake import open_connection
from server.store.redis.inventory import Inventory, Opening, add_inventories, as_it_is, take_inventory
from server.store.redis.primary import accept_any
from server.store.redis.topology import Address

_CONNECT_TIMEOUT_S = 5.0
_COUNT_TIMEOUT_S = 600.0


class OpenedStore(NamedTuple):
    """A store that the operator looks at."""

    address: Address
    backend: Backend
    prefix: bytes
    fingerprint: str
    """Of our secret key; empty where there is no key yet."""
    opening: Opening = as_it_is
    """Turns a stored value into a record."""
    canaries: frozenset[bytes] = frozenset()
    """Keys of leak canaries, who are no people."""

    def record(self) -> bytes | None:
        """Return the store's own record."""
        with self.backend.identity() as own:
            return own.read()

    def inventory(self) -> Inventory:
        """Count what it holds, on all its primaries."""
        return add_inventories(self._inventory(server) for server in self.backend.servers())

    def _inventory(self, server: Address) -> Inventory:
        with closing(open_connection(server, _CONNECT_TIMEOUT_S)) as connection:
            deadline_s = time.monotonic() + _COUNT_TIMEOUT_S
            return take_inventory(connection, self.prefix, deadline_s, self.opening, self.canaries)


def add_arguments(parser: ArgumentParser) -> None:
    """Add the action."""
    parser.add_argument("action", choices=("show", "trust"), help="show the store, or accept it as ours")


def run(options: Namespace, shell: Shell) -> int:
    """Show the store; with ``trust``, accept it once the operator has typed its name and number of records."""
    with opened_store(shell.settings()) as store:
        inventory = store.inventory()
        shell.out.print("\n".join(describe(store, inventory)), highlight=False, soft_wrap=True)
        if options.action == "trust":
            trust(store, inventory, shell)
    return OK


@contextmanager
def opened_store(settings: Settings) -> Iterator[OpenedStore]:
    """Open the configured store. Raises ``StoreError`` and the configuration errors of the parts."""
    key = key_file(settings).read()
    prefix = settings.key_prefix.encode()
    with open_store(settings) as address:
        backend = backend_of(address, prefix, accept_any)
        if key is None:
            yield OpenedStore(address, backend, prefix, "")
        else:
            opening, canaries = RecordCipher(key.derive(PURPOSE)).open, keys_of(key, settings.key_prefix)
            yield OpenedStore(address, backend, prefix, key.fingerprint, opening, canaries)


def describe(store: OpenedStore, inventory: Inventory) -> Iterator[str]:
    """Yield one line for each fact."""
    value = store.record()
    yield f"store        {store.address}"
    yield from _identity_lines(value)
    yield f"our key      {store.fingerprint or 'none yet'}"
    yield f"primaries    {len(store.backend.servers())}"
    yield f"preferences  {inventory.accounts:,} accounts, {inventory.devices:,} devices"
    yield f"profiles     {inventory.profiles:,}"
    if inventory.unreadable:
        yield f"unreadable   {inventory.unreadable:,} of the preferences"
    if inventory.left_out:
        yield f"canaries     {inventory.left_out:,} keys of leak canaries, not counted above"
    yield f"newest       {_time(inventory.newest_choice_ms) if inventory.newest_choice_ms else 'no choice'}"


def trust(store: OpenedStore, inventory: Inventory, shell: Shell) -> None:
    """Accept the store. Raises ``UsageError`` without a key or for another's store, ``Refused`` without consent."""
    if not store.fingerprint:
        raise UsageError("there is no secret key to trust a store with; restore it, or start the service once")
    if (owner := _owner(store.record())) not in ("", store.fingerprint):
        raise UsageError(f"the store belongs to the secret key {owner}: with ours no record in it can be found")
    expected = f"{store.address} {inventory.records}"
    shell.out.print("\nOpt-outs that this store has lost stay lost. To accept it, type its name and number of records:")
    if sys.stdin.readline().split() != expected.split():
        raise Refused(f"not accepted: that is not the name and the number of records, {inventory.records}")
    with store.backend.identity() as own:
        own.replace(StoreIdentity.make(store.fingerprint, own.now_ms()).encode())
    shell.out.print("accepted; running services use it within a second")


def _identity_lines(value: bytes | None) -> Iterator[str]:
    if value is None:
        yield "record       none: new, emptied, or another store"
        return
    try:
        identity = StoreIdentity.decode(value)
    except IdentityUnreadable as problem:
        yield f"record       {problem}"
        return
    yield f"epoch        {identity.epoch}, since {_time(identity.made_at_ms)}"
    yield f"its key      {identity.fingerprint}"


def _owner(value: bytes | None) -> str:
    """Return the fingerprint of the key that a record names; empty where it names none."""
    try:
        return StoreIdentity.decode(value).fingerprint if value else ""
    except IdentityUnreadable:
        return ""


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


STORE = Command(add_arguments, run)
