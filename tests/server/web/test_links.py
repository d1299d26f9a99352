"""The links that the operator configures."""

from pathlib import Path

import pytest

from server.settings import SettingsError
from server.web.links import read_links


def test_the_built_in_ones_are_the_industry_pages() -> None:
    places = read_links("").places
    assert [place.where for place in places] == ["US", "US", "EU", "CA"]
    assert places[-1].url_in("fr") == "https://youradchoices.ca/fr/outils"
    assert places[-1].url_in("de") == places[-1].url_in("en") == "https://youradchoices.ca/en/tools"


def test_an_operators_own_ones_take_their_place(tmp_path: Path) -> None:
    file = tmp_path / "links.toml"
    file.write_text('sign_in = "https://shop.example/in"\nstatement = "https://shop.example/privacy"\n')
    links = read_links(str(file))
    assert (links.places, links.sign_in, links.statement) == (
        (), "https://shop.example/in", "https://shop.example/privacy",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        'sign_in = "javascript:alert(1)"',
        'unknown = "https://a.example"',
        '[[places]]\nwhere = "US"\nname = "A"\nurl = {}',
        '[[places]]\nwhere = "US"\nname = "A"\nurl = { xx = "https://a.example" }',
        "[[places",
    ],
    ids=["no address", "unknown key", "no url", "unknown language", "no TOML"],
)
def test_a_file_that_is_none_stops_the_start(text: str, tmp_path: Path) -> None:
    file = tmp_path / "links.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match="ADTARGETING_WEB_LINKS"):
        read_links(str(file))


def test_a_file_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ADTARGETING_WEB_LINKS: cannot read the file"):
        read_links(str(tmp_path / "none.toml"))
