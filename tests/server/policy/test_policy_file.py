"""A policy file is read with the vendor list that it names, or refused in one line that says where."""

import json
import os
from pathlib import Path

import pytest

from server.policy.policy_file import load_policy
from server.policy.policy_lines import line_of
from targeting.policy.policy import PolicyError
from targeting.signals.tcf.vendor_list import VendorList

TOML = '''version = "1"  # [networks] x = 3

[signals]
honour_do_not_track = false

[gdpr]
countries = [  # of two, one "XX"
    "DE",
    "FR", "XX",
]
"vendor_list" = """
[[networks]]
id = "no"
"""
children.age = 3

[[networks]]
id = "a"
fields = ["gender","nothing"]

[[networks]]
id = 'b # ]'
fields = [
    "gender",

    "nothing"]
[networks.sub]
key = 1

[[rules]]
withhold = [["contact"], {a = 1, b = 2}, "x"]

[bid_request]
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("version", 1),
        ("signals", 3),
        ("signals.honour_do_not_track", 4),
        ("gdpr.countries", 7),
        ("gdpr.countries[0]", 8),
        ("gdpr.countries[2]", 9),
        ("gdpr.countries[7]", 7),
        ("gdpr.vendor_list", 11),
        ("gdpr.children.age", 15),
        ("networks[0].id", 18),
        ("networks[0].fields[1]", 19),
        ("networks[1]", 21),
        ("networks[1].id", 22),
        ("networks[1].fields[1]", 26),
        ("networks[1].missing", 21),
        ("networks[1].sub.key", 28),
        ("rules[0].withhold[2]", 31),
        ("bid_request.source", 33),
        ("nowhere", 1),
    ],
)
def test_the_line_of_a_key_or_of_what_it_is_part_of(key: str, line: int) -> None:
    assert line_of(TOML, key) == line


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[signals]\nhonour = 1\n", ":2: signals.honour: unknown key; use one of: honour_do_not_track, "),
        ('[[networks]]\nid = "a"\n\n[[networks]]\nname = "b"\n', ":4: networks[1].id: is required"),
        ('[[networks]]\nid = "a"\nfields = [\n  "gender",\n  "age"]\n', ":5: networks[0].fields[1]: must be one of: "),
        ('version = "1"\nversion = "2"\n', ": is not TOML: Cannot overwrite a value (at line 2, column 14)"),
        ("version = " + "1" * 5000, ": is not TOML: a number has too many digits"),
        ("a = " + "[" * 5000, ": is not TOML: nested too deeply"),
        ("signals = \n", ": is not TOML: Invalid value (at line 1, column 11)"),
        (
            "[gdpr]\n\nvendor_list = 'none.json'\n",
            ":3: gdpr.vendor_list: none.json cannot be read: No such file or dir",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    with pytest.raises(PolicyError) as refused:
        load_policy(path)
    assert str(refused.value).startswith(f"{path}{complaint}")
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_or_not_utf_8(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read: No such file or directory"):
        load_policy(tmp_path / "missing.toml")
    (tmp_path / "latin.toml").write_bytes(b'version = "\xe9"')
    with pytest.raises(PolicyError, match=r"latin\.toml: is not UTF-8$"):
        load_policy(tmp_path / "latin.toml")


def test_a_policy_without_a_version_is_named_by_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    versions = set()
    for text in ("", "# changed\n", ""):
        path.write_text(text)
        versions.add(load_policy(path).version)
    assert len(versions) == 2
    assert all(version.startswith("unnamed-") for version in versions)


def test_the_vendor_list_is_looked_for_beside_the_policy(tmp_path: Path) -> None:
    document = {"gvlSpecificationVersion": 3, "vendorListVersion": 7, "vendors": {"12": {"id": 12, "purposes": [2, 4]}}}
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "gvl.json").write_text(json.dumps(document))
    path = tmp_path / "policy.toml"
    path.write_text('[gdpr]\nvendor_list = "lists/gvl.json"\n')
    vendor_list = load_policy(path).vendor_list
    assert isinstance(vendor_list, VendorList)
    assert vendor_list.vendor_list_version == 7
    (tmp_path / "lists" / "gvl.json").write_text("{}")
    with pytest.raises(PolicyError, match=r"policy\.toml:2: gdpr\.vendor_list: lists/gvl\.json is not a vendor list: "):
        load_policy(path)


@pytest.mark.parametrize("text", ["", "\n", "# comments only\n"])
def test_an_empty_file_is_refused_where_it_may_not_be(tmp_path: Path, text: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    assert load_policy(path).networks == ()
    with pytest.raises(PolicyError, match=r"policy\.toml: is empty; to use the built-in policy, set a version$"):
        load_policy(path, may_be_empty=False)


@pytest.mark.parametrize("name", ["policy.toml", "gvl.json"])
def test_a_file_that_hangs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("server.files.bounded_file.TIMEOUT_S", 0.05)
    (tmp_path / "policy.toml").write_text('[gdpr]\nvendor_list = "gvl.json"\n')
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    with pytest.raises(PolicyError, match=r"cannot be read: no end of the file within 0\.05 s"):
        load_policy(tmp_path / "policy.toml")


@pytest.mark.parametrize("name", ["policy.toml", "gvl.json"])
def test_a_huge_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "policy.toml").write_text('[gdpr]\nvendor_list = "gvl.json"\n')
    with (tmp_path / name).open("ab") as file:
        file.truncate(1 << 40)
    with pytest.raises(PolicyError, match="cannot be read: larger than"):
        load_policy(tmp_path / "policy.toml")
