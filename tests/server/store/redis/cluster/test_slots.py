"""Slots: as Redis computes them, and each with its node."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from server.store.redis.cluster.redirects import Redirect, redirect_of
from server.store.redis.cluster.slots import IDENTITIES, SLOTS, Node, SlotTable, identity_keys, slot_of
from server.store.redis.errors import ErrorReply

A, B = Node("10.0.0.1", 1), Node("10.0.0.2", 2)


@given(st.binary(max_size=40) | st.lists(st.sampled_from([b"{", b"}", b"a", b"bc"])).map(b"".join))
def test_a_key_is_in_the_slot_that_redis_py_computes(key: bytes) -> None:
    assert slot_of(key) == key_slot(key)


@pytest.mark.parametrize("prefix", [b"adt", b"another.prefix"])
def test_the_stores_own_record_stands_in_every_part_of_the_slots(prefix: bytes) -> None:
    assert [slot_of(key) * IDENTITIES // SLOTS for key in identity_keys(prefix)] == list(range(IDENTITIES))


def test_a_table_is_read_from_what_a_node_reports() -> None:
    reply = [[0, 99, [b"10.0.0.1", 1, b"id", []], [b"10.0.0.9", 9, b"id", []]], [100, 16_383, [b"", 2, b"id", []]]]
    table = SlotTable.from_reply(reply, B)
    assert [table.node_of(slot) for slot in (0, 99, 100)] == [A, A, B]
    assert table.nodes == {A, B}


@pytest.mark.parametrize(
    "reply",
    [
        [[0, SLOTS, [b"a", 7000]]],
        [[-1, 5, [b"a", 7000]]],
        [[5, 4, [b"a", 7000]]],
        [[0, 1 << 40, [b"a", 7000]]],
        [[0, 5, [b"a", 0]]],
        [[0, 5, [b"a", 70_000]]],
        [[0, 5]],
        [[b"0", 5, [b"a", 7000]]],
        [[0, 5, [None, 7000]]],
        b"OK",
        7,
    ],
    ids=repr,
)
def test_a_reply_of_another_form_is_no_table(reply: Any) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError)):
        SlotTable.from_reply(reply, B)


def test_a_slot_that_is_not_reported_has_no_node_and_a_node_without_slots_no_record() -> None:
    table = SlotTable([(0, 8_191, A)])
    assert table.node_of(8_192) is None
    assert table.identity_key(B, b"adt") is None
    key = table.identity_key(A, b"adt")
    assert key is not None
    assert slot_of(key) < 8_192


@pytest.mark.parametrize(
    ("reply", "redirect"),
    [
        (ErrorReply("MOVED 3999 10.0.0.2:2"), Redirect(B)),
        (ErrorReply("ASK 3999 10.0.0.2:2"), Redirect(B, asking=True)),
        (ErrorReply("MOVED 3999 :2"), Redirect(Node(A.host, 2))),
        (ErrorReply("MOVED 3999 ::1:2"), Redirect(Node("::1", 2))),
        (ErrorReply("CLUSTERDOWN The cluster is down"), None),
        (ErrorReply("TRYAGAIN"), None),
        (b"MOVED 3999 10.0.0.2:2", None),
        (None, None),
    ],
)
def test_where_a_reply_sends_its_caller(reply: object, redirect: Redirect | None) -> None:
    assert redirect_of(reply, A) == redirect
