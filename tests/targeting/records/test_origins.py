"""Who made a change and why: each is kept without the other, and beside changes that have neither."""

import pytest

from targeting.records.preference import (
    Choice,
    Preference,
    PreferenceChange,
    Source,
    decode_preference,
    encode_preference,
)

OWNER = bytes(range(16))
CHANGE = PreferenceChange(1, Choice.OPT_OUT, Source.SUPPORT, 1, bytes(8))


@pytest.mark.parametrize("expires_s", [0, 77])
@pytest.mark.parametrize(
    ("actor", "ticket"),
    [("support-desk", ""), ("", "CASE-4711"), ("support-desk", "CASE-4711"), ("", "")],
    ids=["an actor", "a ticket", "both", "neither"],
)
def test_what_is_known_of_a_change_is_kept(actor: str, ticket: str, expires_s: int) -> None:
    known = Preference(history=(CHANGE, CHANGE._replace(actor=actor, ticket=ticket), CHANGE), expires_s=expires_s)
    assert decode_preference(encode_preference(known, OWNER), OWNER) == known
