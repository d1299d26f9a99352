"""``replay``: what another policy changes about recorded decisions, and what makes it fail."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from server.cli import replay
from targeting.decision_records.lines import line_of, policy_record
from targeting.policy.policy import Policy, policy_from
from tests.server.cli.conftest import Adt
from tests.targeting.decision_records.made_up_people import POLICY, decisions, people
from tests.targeting.decision_records.recorded import record

RECORDS = [line_of(record(made)) for made in decisions(list(people(300)), 12)]
EQUAL = """
version = "equal"
[children]
age_by_country = { DE = 16, FR = 15 }
age_by_subdivision = { US-CT = 18 }
[gdpr]
host_vendor_id = 755
[consent]
explicit_opt_in_in = ["CA-QC"]
[[networks]]
id = "house"
first_party = true
fields = ["age_bracket", "gender", "country"]
user_id = true
[[networks]]
id = "acme"
tcf_vendor_id = 21
fields = ["age_bracket", "country"]
user_id = true
[[networks]]
id = "borealis"
tcf_vendor_id = 6
fields = ["country"]
precise_position = "coarse"
[[rules]]
withhold = ["profile", "user_id"]
networks = ["acme"]
subdivisions = ["US-CA"]
[[rules]]
withhold = ["user_id"]
do_not_track = true
[[rules]]
withhold = ["contact"]
networks = ["borealis"]
gpp_sections = [7]
"""
YOUNGER = EQUAL.replace("age_by_country = { DE = 16, FR = 15 }", "age = 0")
STRICTER = EQUAL.replace("[children]", "[signals]\nhonour_do_not_track = true\n[children]\nage = 16")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {"equal": EQUAL, "younger": YOUNGER, "stricter": STRICTER}.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    write(tmp_path, *RECORDS)
    return tmp_path


def write(folder: Path, *lines: bytes, policy: Policy = POLICY) -> None:
    (folder / "records.jsonl").write_bytes(line_of(policy_record(policy)) + b"".join(lines))


def test_an_equal_policy_changes_nothing(adt: Adt, files: Path) -> None:
    ended = adt("replay", "records.jsonl", "--policy", "equal.toml")
    assert ended.status == 0
    assert " ".join(ended.lines) == (
        "300 decisions replayed under policy equal: 0 loosenings, 0 tightenings, 0 loosenings that are not allowed; "
        "0 lines not replayed"
    )


@pytest.mark.parametrize(
    ("allowed", "status"), [((), 1), (("--allow", "children"), 0), (("--allow", "networks"), 1)], ids=str
)
def test_a_loosening_is_refused_unless_it_is_allowed_by_name(
    adt: Adt, files: Path, allowed: tuple[str, ...], status: int
) -> None:
    ended = adt("replay", "records.jsonl", "--policy", "younger.toml", *allowed)
    mark = "" if status else " (allowed)"
    assert ended.status == status
    assert f"loosens{mark} children: " in ended.out
    assert "UNDER_AGE, DE" in ended.out


def test_a_key_is_no_name_of_a_change_that_is_known_by_its_table(adt: Adt, files: Path) -> None:
    ended = adt("replay", "records.jsonl", "--policy", "younger.toml", "--allow", "children.age")
    assert ended.status == 1
    assert ended.err == (
        "adtargeting: --allow children.age allows nothing: no loosening has this name or one below it; "
        "the loosening found is children\n"
    )


def test_tightenings_are_shown_and_refuse_nothing(adt: Adt, files: Path) -> None:
    ended = adt("replay", "records.jsonl", "--policy", "stricter.toml")
    assert ended.status == 0
    assert "tightens signals.honour_do_not_track: " in ended.out
    assert "tightens children: " in ended.out


def test_lines_that_cannot_be_read_are_named_and_counted_and_the_rest_is_replayed(adt: Adt, files: Path) -> None:
    newer = RECORDS[1].replace(b'"v":1', b'"v":9')
    foreign = line_of(policy_record(POLICY)).replace(b'"children"', b'"grownups"')
    cut = RECORDS[3][:-30]
    write(files, RECORDS[0], newer, foreign, b"\n", b"x" * (3 << 20) + b"\n", RECORDS[2], cut)
    ended = adt("replay", "records.jsonl", "--policy", "equal.toml")
    text = " ".join(ended.lines)
    assert ended.status == 0
    assert "not replayed: records.jsonl:3: has a newer form: version 9, and this version reads 1" in text
    assert "not replayed: records.jsonl:4: is a policy that this version cannot read: grownups" in text
    assert "not replayed: records.jsonl:6: is cut" in text
    assert "not replayed: records.jsonl:8: is cut: it ends before its end" in text
    assert "2 decisions replayed" in text
    assert text.endswith("4 lines not replayed")


def test_many_bad_lines_are_named_up_to_a_bound(adt: Adt, files: Path) -> None:
    write(files, *[b"{}\n"] * 30, RECORDS[0])
    text = " ".join(adt("replay", "records.jsonl", "--policy", "equal.toml").lines)
    assert text.count("is no decision record") == 20
    assert "not replayed: 10 more lines" in text


def test_a_policy_that_the_file_does_not_tell_of_may_have_been_stricter(adt: Adt, files: Path) -> None:
    (files / "records.jsonl").write_bytes(RECORDS[0])
    ended = adt("replay", "records.jsonl", "--policy", "equal.toml")
    assert ended.status == 1
    assert "loosens policy: 1 decision, not recorded: the policy that decided, as its line is missing" in " ".join(
        ended.lines
    )


@pytest.mark.parametrize(
    ("records", "policy", "message"),
    [
        ("none.jsonl", ("--policy", "equal.toml"), "none.jsonl: cannot be read: No such file or directory"),
        ("records.jsonl", (), "--policy: name the policy to decide by"),
        ("records.jsonl", ("--policy", "none.toml"), "none.toml: cannot be read: No such file or directory"),
        ("equal.toml", ("--policy", "equal.toml"), "equal.toml: has no decision record that can be read"),
    ],
    ids=["no file", "no policy named", "no policy", "no record"],
)
def test_what_cannot_be_replayed_is_a_usage_error(
    adt: Adt, files: Path, records: str, policy: tuple[str, ...], message: str
) -> None:
    ended = adt("replay", records, *policy)
    assert (ended.status, ended.err) == (2, f"adtargeting: {message}\n")


def test_the_equal_policy_is_the_one_that_decided() -> None:
    assert policy_from(tomllib.loads(EQUAL)) == replace(POLICY, version="equal")


def test_many_changes_are_shown_up_to_a_bound_with_network_country_and_what_is_missing(
    adt: Adt, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "_MAX_SHOWN", 6)
    (files / "other.toml").write_text(EQUAL.replace("id = 755", "id = 22").replace('"coarse"', '"exact"'))
    text = " ".join(adt("replay", "records.jsonl", "--policy", "other.toml").lines)
    assert "loosens networks.borealis.precise_position: " in text
    assert "NETWORK_POLICY, US, network borealis" in text
    assert "more changes, each of fewer decisions" in text
    assert "not recorded: " in text
