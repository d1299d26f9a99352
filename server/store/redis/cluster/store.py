"""The store on a Redis Cluster: one subject's keys share a slot, and a batch is one pipeline a node.

A slot without a serving node limits those whose records are in it. A script cannot look at another slot, so the
choices of linked subjects are read before and after a commit, which is taken back before it is answered when one has
changed: until then, a moment, the values of the account are there although a linked subject has opted out.
"""

import time
from collections.abc import Sequence
from typing import TypeVar

from server.store.keys import Pseudonyms
from server.store.ports import Committed, PartUnavailable, RecordChange, StoreError, StoreTimeout, StoreUntrusted
from server.store.redis.batch_read import pack_bounded_read, read_bounded_value
from server.store.redis.cluster.pipelines import Command, NodePipelines
from server.store.redis.cluster.slots import Node
from server.store.redis.cluster.topology import Cluster
from server.store.redis.commit import UNREADABLE, arguments, check, committed_of, packed_by_digest, packed_whole
from server.store.redis.connection import Reply, pack
from server.store.redis.durability import Patience, replicas_to_wait_for
from server.store.redis.errors import ErrorReply, is_refusal, store_error
from server.store.redis.whole_records import read_whole
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords

T = TypeVar("T")

_FULL_BUDGET_S = 0.005


class ClusterStore:
    """``DecisionStore`` and ``RecordStore`` on a cluster, for exactly one thread."""

    def __init__(self, cluster: Cluster, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        self._patience: dict[Node, Patience] = {}
        self._nodes = NodePipelines(cluster, pseudonyms.prefix, cluster.check_identity)

    def fetch(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        """Read preference and profile of every subject; see ``DecisionStore``.

        Where only some nodes answer, the records of the others' subjects are unreadable, which limits them.
        A node that is only slower than a caller in a hurry fails the call, so that it is asked again in peace.
        """
        places = [self._pseudonyms.locate(subject) for subject in subjects]
        values = self._values([key for place in places for key in place[1:]], budget_s)
        _raise_for_all(values, budget_s)
        known = iter([UNREADABLE if isinstance(value, StoreError) else value for value in values])
        return [
            StoredRecords(subject.kind, owner, preference, profile)
            for subject, (owner, _, _), preference, profile in zip(subjects, places, known, known, strict=True)
        ]

    def begin(self, subjects: Sequence[Subject], budget_s: float) -> None:  # as ``DecisionStore``
        """Send nothing: several nodes may have to be asked, and asked again."""

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        """Read everything of every subject; see ``RecordStore``."""
        return read_whole(
            self._pseudonyms, subjects, lambda keys: [_raised(value) for value in self._values(keys, budget_s)]
        )

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        """Apply changes, each atomically; see ``RecordStore``."""
        deadline_s = time.monotonic() + budget_s
        for change in changes:
            check(change, self._pseudonyms.owner(change.subject))
        if not any(change.linked for change in changes):
            return self._apply(changes, deadline_s)
        return [self._commit_linked(change, deadline_s) for change in changes]

    def commit_durably(
        self, change: RecordChange, replicas: int, budget_s: float, confirm_s: float | None = None
    ) -> Committed:
        """Apply one change and wait until it is safe; see ``RecordStore``."""
        deadline_s = time.monotonic() + budget_s
        committed = self.commit([change], budget_s)[0]
        if not committed.landed:
            return committed
        if confirm_s is not None:
            deadline_s = time.monotonic() + confirm_s
        key = self._pseudonyms.locate(change.subject)[1]
        node = self._nodes.node_of(key, deadline_s)
        patience = self._patience.setdefault(node, Patience())
        promotable = self._nodes.replicas_of(node)
        wanted = replicas_to_wait_for(replicas, promotable)
        safety = patience.wait(self._nodes.connect(node, deadline_s), wanted, deadline_s)
        return committed._replace(replicas=safety.replicas, on_disk=safety.on_disk, promotable=promotable)

    def close(self) -> None:
        """Close all connections. Another call would open new ones."""
        self._nodes.close()

    def _values(self, keys: Sequence[bytes], budget_s: float) -> list[bytes | StoreError | None]:
        deadline_s = time.monotonic() + budget_s
        commands = [
            command
            for key in keys
            for command in (Command(key, pack((b"EXISTS", key))), Command(key, pack_bounded_read(key)))
        ]
        replies = iter(self._nodes.run(commands, deadline_s))
        return [_value(exists, value) for exists, value in zip(replies, replies, strict=True)]

    def _apply(self, changes: Sequence[RecordChange], deadline_s: float) -> list[Committed]:
        """Run the script for changes without linked subjects, each where its subject is."""
        calls = []
        for change in changes:
            _, preference, profile = self._pseudonyms.locate(change.subject)
            calls.append((preference, arguments(change._replace(linked=()), preference, profile)))
        replies = self._nodes.run([Command(key, packed_by_digest(call)) for key, call in calls], deadline_s)
        missed = [index for index, reply in enumerate(replies) if is_refusal(reply, "NOSCRIPT")]
        whole = [Command(calls[index][0], packed_whole(calls[index][1])) for index in missed]
        for index, reply in zip(missed, self._nodes.run(whole, deadline_s) if whole else (), strict=True):
            replies[index] = reply
        return [committed_of(_raised(reply)) for reply in replies]

    def _commit_linked(self, change: RecordChange, deadline_s: float) -> Committed:
        if not self._linked_are_as_expected(change, deadline_s):
            return Committed(landed=False)
        committed = self._apply([change], deadline_s)[0]
        if not committed.landed or self._linked_are_as_expected(change, deadline_s):
            return committed
        self._take_back(change, deadline_s)
        return Committed(landed=False)

    def _linked_are_as_expected(self, change: RecordChange, deadline_s: float) -> bool:
        if not change.linked:
            return True
        held = self.read([subject for subject, _ in change.linked], deadline_s - time.monotonic())
        return all(
            records.preference == expected and not (expected is None and records.profile is not None)
            for records, (_, expected) in zip(held, change.linked, strict=True)
        )

    def _take_back(self, change: RecordChange, deadline_s: float) -> None:
        """Restore what the change replaced; what another writer has made of it since is that writer's."""
        before, after = change.expected, self.read([change.subject], deadline_s - time.monotonic())[0]
        restored = change._replace(
            expected=after,
            preference=before.preference or b"" if change.preference else None,
            profile=before.profile or b"" if change.profile else None,
            seen=before.seen or b"" if change.seen else None,
            linked=(),
        )
        self._apply([restored], deadline_s)


def _raise_for_all(values: Sequence[bytes | StoreError | None], budget_s: float) -> None:
    """Raise what concerns everybody: another store, no answer at all, or too little time for one."""
    failed = [value for value in values if isinstance(value, StoreError)]
    for problem in failed:
        hurried = isinstance(problem, StoreTimeout) and (budget_s < _FULL_BUDGET_S or len(failed) == len(values))
        if hurried or isinstance(problem, StoreUntrusted):
            raise problem
    if failed and len(failed) == len(values):
        raise PartUnavailable(str(failed[0]))


def _value(exists: Reply | StoreError, value: Reply | StoreError) -> bytes | StoreError | None:
    for reply in (exists, value):
        if isinstance(reply, StoreError):
            return reply
        if isinstance(reply, ErrorReply) and not is_refusal(reply, "WRONGTYPE"):
            return store_error(reply)
    read = read_bounded_value(value)
    return UNREADABLE if exists and read is None else read


def _raised(value: T | StoreError) -> T:
    if isinstance(value, StoreError):
        raise value
    return value
