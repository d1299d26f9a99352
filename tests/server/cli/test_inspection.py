"""``features``, ``check-policy`` and ``preflight``: what they print, and when they fail."""

import json
import re
import time
from pathlib import Path

import pytest

from server.cli.check_policy import rule_text
from server.cli.matrix import matrix
from server.schemas.files import POLICY_SCHEMA
from server.store.embedded.server import EmbeddedRedis
from server.store.redis.handshake import open_connection
from targeting.features.schema import SCHEMA
from targeting.model import Mode
from targeting.policy.networks import NetworkRule
from targeting.policy.policy import DEFAULT_POLICY, policy_from
from targeting.policy.profile_fields import SHAREABLE_FIELDS
from tests.server.cli.conftest import ROOT, WIDTH, Adt

NETWORK = {"id": "n", "fields": list(SHAREABLE_FIELDS), "user_id": True, "precise_position": "coarse"}


def test_features_names_every_dimension(adt: Adt) -> None:
    ended = adt("features")
    assert max(map(len, ended.lines)) <= WIDTH
    assert all(dimension.name in ended.out.replace("\n", "") for dimension in SCHEMA[:3])
    listed = json.loads(adt("features", "--json").out)
    assert [each["name"] for each in listed["dimensions"]] == [each.name for each in SCHEMA]


def test_a_valid_policy_is_shown_as_a_matrix(adt: Adt) -> None:
    ended = adt("check-policy", str(ROOT / "policy.example.toml"))
    assert ended.status == 0
    assert ended.lines[0].startswith("valid: policy example-1, ")
    assert "Rule 1 withholds precise_position from every network when the country is DE or AT." in " ".join(ended.lines)
    assert max(map(len, ended.lines)) <= WIDTH


def test_a_network_without_a_vendor_id_is_pointed_out(adt: Adt, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('[[networks]]\nid = "n"\n[gdpr]\nhost_vendor_id = 1\n')
    ended = adt("check-policy", "policy.toml")
    assert "because they have no tcf_vendor_id: n." in " ".join(ended.lines)
    assert "host_vendor_id is 0" not in ended.out


def test_a_rule_that_names_no_network_is_pointed_out(adt: Adt, tmp_path: Path) -> None:
    rule = '[[networks]]\nid = "net"\n[[rules]]\nwithhold = ["contact"]\nnetworks = ["N*", "nobody-*"]\n'
    (tmp_path / "policy.toml").write_text(rule)
    ended = adt("check-policy", "policy.toml")
    assert "Rule 1: nobody-* matches no network of this policy." in ended.lines
    assert "by N*" not in ended.out


def test_an_empty_policy_is_valid_and_says_what_that_means(adt: Adt, tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("")
    ended = adt("check-policy", "empty.toml")
    assert ended.status == 0
    assert "0 networks" in ended.out
    assert "gdpr.host_vendor_id is 0" in ended.out


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("= 1\n", "policy.toml: "),
        ("\ncolour = 1\n", "policy.toml:2: colour"),
        ('[children]\nage = "old"\n', "policy.toml:2: children.age"),
        ("[children]\n\nage = 99\n", "policy.toml:3: children.age"),
        ('[gdpr]\nvendor_list = "none.json"\n', "policy.toml:2: gdpr.vendor_list"),
        (None, "policy.toml: cannot be read"),
    ],
    ids=["no TOML", "unknown key", "wrong type", "impossible value", "missing vendor list", "missing file"],
)
def test_a_policy_that_cannot_be_used_is_one_line_that_names_key_and_line(
    adt: Adt, tmp_path: Path, text: str | None, where: str
) -> None:
    if text is not None:
        (tmp_path / "policy.toml").write_text(text)
    for argv in (["check-policy", "policy.toml"], ["load-sample", "--policy", "policy.toml"]):
        ended = adt(*argv)
        assert (ended.status, ended.out) == (2, "")
        assert where in ended.err
        assert ended.err.count("\n") == 1
        is_of_content = argv[0] == "check-policy" and text is not None
        assert (f"schema for editors: {POLICY_SCHEMA}" in ended.err) is is_of_content


OLD_POLICY = 'version = "1"\n[masks]\nipv4_bits = 16\n[[networks]]\nid = "net"\nfields = ["gender"]\n'
NEW_POLICY = 'version = "1"\n[masks]\nipv4_bits = 24\n[[networks]]\nid = "net"\n'


@pytest.mark.parametrize(
    ("allowed", "status", "effect", "refused"),
    [
        ([], 1, "loosens", "1 loosening that is"),
        (["--allow", "masks.ipv4_bits"], 0, "loosens (allowed)", "0 loosenings that are"),
        (["--allow", "networks"], 1, "loosens", "1 loosening that is"),
    ],
    ids=["not allowed", "allowed", "another allowed"],
)
def test_a_policy_is_compared_with_another(
    adt: Adt, tmp_path: Path, allowed: list[str], status: int, effect: str, refused: str
) -> None:
    (tmp_path / "old.toml").write_text(OLD_POLICY)
    (tmp_path / "new.toml").write_text(NEW_POLICY)
    ended = adt("check-policy", "new.toml", "--against", "old.toml", *allowed)
    rows = [" ".join(line.split()) for line in ended.lines]
    assert ended.status == status
    assert ended.err == (
        "adtargeting: --allow networks allows nothing: no loosening has this name or one below it\n"
        if allowed[1:] == ["networks"]
        else ""
    )
    assert rows[-3:-1] == [f"{effect} masks.ipv4_bits: 16 → 24", "tightens networks.net.fields: -gender"]
    assert rows[-1] == f"2 differences, {refused} not allowed"


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("", "[gdpr]\nvendor_list = 'list.json'\n", "loosens gdpr.vendor_list: - → list.json"),
        ("[gdpr]\nalso_required_purposes = [3, 5]\n", "[gdpr]\nalso_required_purposes = [5, 7]\n", ": -3, +7"),
        (
            "[gdpr]\ncountries = ['DE', 'FR']\n",
            "[gdpr]\ncountries = ['FR', 'DE']\n",
            "changes gdpr.countries: another order",
        ),
    ],
    ids=["from nothing", "items of a list", "the order of a list"],
)
def test_a_difference_is_one_line(adt: Adt, tmp_path: Path, old: str, new: str, shown: str) -> None:
    (tmp_path / "old.toml").write_text(f'version = "1"\n{old}')
    (tmp_path / "new.toml").write_text(f'version = "1"\n{new}')
    (tmp_path / "list.json").write_text('{"gvlSpecificationVersion": 3, "vendorListVersion": 7, "vendors": {}}')
    ended = adt("check-policy", "new.toml", "--against", "old.toml")
    assert any(line.endswith(shown) for line in ended.lines)


def test_equal_policies_do_not_differ_and_an_invalid_one_cannot_be_compared(adt: Adt, tmp_path: Path) -> None:
    (tmp_path / "old.toml").write_text(OLD_POLICY)
    (tmp_path / "bad.toml").write_text("colour = 1\n")
    equal = adt("check-policy", "old.toml", "--against", "old.toml")
    assert (equal.status, equal.lines[-1]) == (0, "0 differences, 0 loosenings that are not allowed")
    invalid = adt("check-policy", "old.toml", "--against", "bad.toml")
    assert invalid.status == 2
    assert "bad.toml:1: colour" in invalid.err


def test_the_matrix_is_what_the_core_decides() -> None:
    given = {(row.network_id, row.mode): row for row in matrix(DEFAULT_POLICY)}
    house, partner = given["house", Mode.BEHAVIOURAL], given["partner", Mode.BEHAVIOURAL]
    assert house.fields == set(SHAREABLE_FIELDS)
    assert house.user_id
    assert partner.fields == {"age_bracket", "country", "language", "interests"}
    assert not partner.user_id
    for network in ("house", "partner"):
        limited = given[network, Mode.LIMITED]
        assert limited.contact
        assert (limited.fields, limited.user_id, limited.position, limited.address) == (
            frozenset(),
            False,
            "none",
            "/24",
        )


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ({"withhold": ["profile"]}, (True, False, True, "coarse")),
        ({"withhold": ["user_id"]}, (True, True, False, "coarse")),
        ({"withhold": ["contact"]}, (False, False, False, "none")),
        ({"withhold": ["precise_position"], "app": False}, (True, True, True, "none")),
        ({"withhold": ["profile"], "app": True}, (True, True, True, "coarse")),
        ({"withhold": ["profile"], "countries": ["US", "AD"]}, (True, True, True, "coarse")),
        ({"withhold": ["profile"], "subdivisions": ["US-CA"]}, (True, True, True, "coarse")),
        ({"withhold": ["profile"], "networks": ["other*"]}, (True, True, True, "coarse")),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else None,
)
def test_unconditional_rules_are_in_the_matrix(rule: dict[str, object], left: tuple[bool, bool, bool, str]) -> None:
    row = next(matrix(policy_from({"networks": [NETWORK], "rules": [rule]})))
    assert (row.contact, bool(row.fields), row.user_id, row.position) == left


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (NetworkRule(("profile",)), "profile from every network"),
        (NetworkRule(("contact",), networks=("a*", "b")), "contact from a*, b"),
        (
            NetworkRule(("user_id",), subdivisions=("US-CA",)),
            "user_id from every network when the subdivision is US-CA",
        ),
        (
            NetworkRule(("profile", "user_id"), countries=("DE", "AT"), gpp_sections=(7, 8)),
            "profile, user_id from every network when the country is DE or AT and GPP section 7 or 8 applies",
        ),
        (
            NetworkRule(("contact",), global_privacy_control=True, app=True),
            "contact from every network when Global Privacy Control is sent and the request comes from an app",
        ),
        (NetworkRule(("contact",), do_not_track=False), "contact from every network when Do Not Track is not sent"),
        (NetworkRule(("contact",), app=False), "contact from every network when the request comes from the web"),
    ],
    ids=["always", "networks", "subdivision", "two conditions", "signals", "no signal", "web"],
)
def test_rules_are_said_in_words(rule: NetworkRule, said: str) -> None:
    assert rule_text(rule) == said


def test_preflight_looks_at_the_store_of_a_running_service(served: Adt) -> None:
    ended = served("preflight")
    assert ended.status == 0
    assert "maxmemory-policy is noeviction" in ended.out
    assert re.search(r"warning +the country table is", ended.out)


def test_preflight_starts_the_embedded_store_where_nothing_runs(
    adt: Adt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADTARGETING_DATA_DIR", str(tmp_path / "data"))
    assert adt("preflight").status == 0
    with EmbeddedRedis(tmp_path / "data", lock_wait_s=0):
        """It has ended, so the directory is free."""


def test_preflight_refuses_a_store_that_may_lose_opt_outs(
    adt: Adt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddedRedis(tmp_path) as redis:
        monkeypatch.setenv("ADTARGETING_REDIS_URL", redis.url)
        link = open_connection(redis.address, 5)
        link.ask((b"CONFIG", b"SET", b"maxmemory-policy", b"allkeys-lru"), time.monotonic() + 5)
        link.close()
        ended = adt("preflight")
    assert ended.status == 1
    assert "may be evicted" in ended.out.replace("\n", " ")


def test_preflight_of_a_store_that_is_not_there_is_a_refusal(adt: Adt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADTARGETING_REDIS_URL", "redis://127.0.0.1:1/0")
    ended = adt("preflight")
    assert ended.status == 1
    assert ended.err == "adtargeting: the store may lose choices or cannot be reached; apply the remedies above\n"
    monkeypatch.setenv("ADTARGETING_REDIS_URL", "ftp://user:secret@host")
    ended = adt("preflight")
    assert (ended.status, ended.out) == (2, "")
    assert "ADTARGETING_REDIS_URL" in ended.err
    assert "secret" not in ended.err
