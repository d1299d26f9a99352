"""``docs/policy.md`` says what the code does; ``policy.example.toml`` is a policy."""

import re
import tomllib
from pathlib import Path

import pytest

from server.policy.policy_file import load_policy
from targeting.policy.networks import PERSONAL_NAMES
from targeting.policy.policy import GDPR_COUNTRIES, policy_from
from tests.targeting.policy.policy_tables import Key, keys

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "policy.example.toml"
KEYS = list(keys())


def documented() -> dict[Key, str]:
    """Every row of the document's tables, with the meaning it gives."""
    rows, table = {}, ""
    for line in DOCUMENT.splitlines():
        if line.startswith("## "):
            table = line[3:].strip("`") if "[" in line else ""
        elif line.startswith("| `"):
            name, kind, default, allowed, meaning = (cell.strip() for cell in line.strip("|").split(" | "))
            rows[Key(table, name.strip("`"), kind, default, allowed)] = meaning.strip()
    return rows


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.table}{key.name}")
def test_the_document_says_what_each_key_is_and_decides(key: Key) -> None:
    assert documented().get(key)


def test_the_document_speaks_of_no_other_keys() -> None:
    assert list(documented()) == KEYS


def test_the_document_lists_the_countries_of_the_gdpr() -> None:
    (listed,) = re.findall(r"their own country code:\s+([A-Z\s]+)\.", DOCUMENT)
    assert listed.split() == list(GDPR_COUNTRIES)


def test_the_document_lists_the_personal_names() -> None:
    (listed,) = re.findall(r"at any level: ([^.]+)\.", DOCUMENT)
    assert re.findall(r"`([^`]+)`", listed) == list(PERSONAL_NAMES)


def test_the_example_is_a_policy_with_nine_networks() -> None:
    policy = load_policy(EXAMPLE)
    assert policy.version == "example-1"
    assert len(policy.networks) == 9
    assert {network.first_party for network in policy.networks} == {True, False}
    assert {network.precise_position for network in policy.networks} == {"none", "coarse", "exact"}


def test_the_example_shows_every_table_and_comments_on_it() -> None:
    shown = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    assert {key.table.strip("[]") for key in KEYS} - {""} == {
        name for name, value in shown.items() if isinstance(value, dict | list)
    }
    assert EXAMPLE.read_text(encoding="utf-8").count("#") > 20


def test_what_the_example_states_without_need_is_the_default() -> None:
    """Deleting such a line from the example changes nothing."""
    shown = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    for name in ("signals", "half_life_days", "features", "opt_out", "retention", "masks", "sharing", "fingerprint"):
        assert getattr(policy_from({name: shown[name]}), name) == getattr(policy_from({}), name)
