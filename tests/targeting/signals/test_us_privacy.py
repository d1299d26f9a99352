"""US Privacy strings: the vectors, and that nothing else is accepted."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targeting.signals.gpp.read import Withholds, read_gpp_string
from targeting.signals.unreadable import Unreadable
from targeting.signals.us_privacy import decode_us_privacy, read_us_privacy
from tests.targeting.signals.gpp.gpp_encoder import gpp as encode
from tests.targeting.signals.gpp.gpp_vectors import load

USP = load("usp.json")


@pytest.mark.parametrize("vector", USP["valid"], ids=lambda vector: f"{vector['id']} {vector['string']}")
def test_a_valid_string_decodes_exactly(vector: dict[str, Any]) -> None:
    text, truth = vector["string"], vector["truth"]
    assert decode_us_privacy(text) == truth
    assert read_us_privacy(text) == (1, truth["Notice"], truth["OptOutSale"], truth["LspaCovered"])


@pytest.mark.parametrize("vector", USP["malformed"], ids=lambda vector: f"{vector['id']} {vector['name']}")
def test_a_malformed_string_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(Unreadable) as caught:
        read_us_privacy(vector["string"])
    assert vector["string"] not in str(caught.value) or len(vector["string"]) < 2


def test_a_long_text_is_refused() -> None:
    with pytest.raises(Unreadable):
        read_us_privacy("1YNN" * 25_000)


@given(st.text(max_size=6))
@settings(deadline=None)
def test_exactly_the_strings_of_the_specification_are_read(text: str) -> None:
    wanted = len(text) == 4 and text[0] == "1" and all(answer in "YyNn-" for answer in text[1:])
    try:
        read_us_privacy(text)
    except Unreadable:
        assert not wanted
    else:
        assert wanted


OPT_OUTS = {"1YYN": True, "1nyn": True, "1-Y-": True, "1YNN": False, "1NNN": False, "1---": False, "1Y-N": False}


@pytest.mark.parametrize(("text", "opted_out"), OPT_OUTS.items(), ids=OPT_OUTS)
def test_the_third_character_opts_out(text: str, *, opted_out: bool) -> None:
    assert read_us_privacy(text).opted_out is opted_out


def test_a_gpp_string_hands_it_on_as_it_is() -> None:
    reading = read_gpp_string(encode({6: "1nYn"}), [6])
    assert reading.us_privacy == "1nYn"
    assert (reading.withholds, reading.unreadable, reading.withholding_fields) == (Withholds.NOTHING, (), [])


def test_a_malformed_one_in_a_gpp_string_withholds_everything() -> None:
    reading = read_gpp_string(encode({6: "1NX-"}), [6])
    assert reading.us_privacy is None
    assert (reading.withholds, reading.unreadable) == (Withholds.EVERYTHING, (6,))
