"""The ids of a person at networks: one per network, key and epoch, and no two can be joined."""

import hashlib
from dataclasses import replace
from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st

from targeting.model import Identity
from tests.targeting.network_cases import POLICY, REQUEST, decide_all, decide_one
from tests.targeting.openrtb.preparing import ALICE, owner_of


def test_two_networks_cannot_join_their_ids_and_neither_can_two_keys() -> None:
    here, there, _ = decide_all(request=REQUEST._replace(networks=("net", "other", "bare")))
    assert here.network_user_id != there.network_user_id
    assert decide_one(key=b"another").network_user_id != here.network_user_id
    assert owner_of(ALICE).hex() not in here.network_user_id


def test_without_a_key_there_is_no_id() -> None:
    assert decide_one(key=b"").network_user_id == ""


def test_in_the_first_epoch_an_id_is_the_keyed_hash_of_network_and_person() -> None:
    expected = hashlib.blake2b(b"net\0" + owner_of(ALICE), digest_size=16, key=b"key").hexdigest()
    assert decide_one().network_user_id == expected


NETWORKS = ("net", "other")
PEOPLE = tuple(Identity(account_id=f"person-{number}") for number in range(50))
DEVICES = tuple(Identity(device_id=f"phone-{number}") for number in range(50))
EPOCHS = (0, 1, 2, 10, 2**31 - 1)


def user_ids(person: Identity, epoch: int) -> tuple[str, ...]:
    """Return the person's id at each of ``NETWORKS`` in an epoch."""
    policy = replace(POLICY, sharing=replace(POLICY.sharing, id_epoch=epoch))
    decisions = decide_all(policy, request=REQUEST._replace(identity=person, networks=NETWORKS))
    return tuple(decision.network_user_id for decision in decisions)


def test_another_epoch_changes_every_networks_id_for_every_person() -> None:
    ids = [
        user_id for person, epoch in product(PEOPLE + DEVICES, EPOCHS) for user_id in user_ids(person, epoch) if user_id
    ]
    assert len(ids) == len(PEOPLE + DEVICES) * len(EPOCHS) * len(NETWORKS)
    assert len(set(ids)) == len(ids)


def test_within_an_epoch_an_id_lasts() -> None:
    assert [user_ids(person, 1) for person in PEOPLE] == [user_ids(person, 1) for person in PEOPLE]


def test_ids_of_two_epochs_cannot_be_joined() -> None:
    """No one mask leads from old ids to new ones, and no 6 digits of an old id return at their place in the new."""
    for older, newer in pairwise(EPOCHS):
        changes = []
        for person in PEOPLE:
            for before, after in zip(user_ids(person, older), user_ids(person, newer), strict=True):
                changes.append(int(before, 16) ^ int(after, 16))
                assert not any(before[place : place + 6] == after[place : place + 6] for place in range(27))
        assert len(set(changes)) == len(changes)


@given(epochs=st.lists(st.integers(0, 2**31 - 1), min_size=2, max_size=2, unique=True), person=st.sampled_from(PEOPLE))
def test_any_two_epochs_have_no_id_in_common(epochs: list[int], person: Identity) -> None:
    older, newer = (user_ids(person, epoch) for epoch in epochs)
    assert not {*older} & {*newer}
