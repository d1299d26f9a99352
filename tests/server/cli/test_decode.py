"""``decode``: whole consent strings, for people and for programs."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from server.cli import decode as decode_module
from server.cli.decode import LONGEST_LINE, lines, readable
from targeting.signals.us_privacy import decode_us_privacy
from tests.server.cli.conftest import ROOT, Adt

VECTORS = ROOT / "tests" / "data" / "vectors"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Feed bytes to standard input."""

    def give(text: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))

    return give


def decoded(adt: Adt, kind: str) -> list[dict[str, Any]]:
    ended = adt("decode", kind, "--json", "-")
    assert (ended.status, ended.err) == (0, "")
    return [json.loads(line) for line in ended.out.splitlines()]


@pytest.mark.parametrize("kind", ["tcf", "gpp"])
def test_every_vector_is_one_object_with_the_names_of_its_truth(adt: Adt, typed: Any, kind: str) -> None:
    vectors = json.loads((VECTORS / f"{kind}.json").read_text())
    valid, malformed = vectors["valid"], [vector for vector in vectors["malformed"] if "\n" not in vector["string"]]
    typed(b"".join(vector["string"].encode("utf-8", "surrogatepass") + b"\n" for vector in valid + malformed))
    found = decoded(adt, kind)
    assert found[: len(valid)] == [vector["truth"] for vector in valid]
    for vector, answer in zip(malformed, found[len(valid) :], strict=True):
        assert vector["alt_ok"] or ("error" in answer) == (vector["expect"] == "error"), vector["name"]


def test_no_line_stops_the_next(adt: Adt, typed: Any) -> None:
    typed(b"1YNN\n\n \n\xff\xfe\n1Y\0N\n" + b"1" * (2 * LONGEST_LINE + 5) + b"\n1YYN\r\n1---")
    found = decoded(adt, "usp")
    assert ["error" in vector for vector in found] == [False, True, True, True, True, True, False, False]
    assert found[0] == decode_us_privacy("1YNN")


def test_long_lines_are_cut_and_not_split() -> None:
    source = io.BytesIO(b"a" * LONGEST_LINE + b"\n" + b"b" * (LONGEST_LINE + 1) + b"\nc")
    assert [(line[0], len(line)) for line in lines(source)] == [("a", LONGEST_LINE), ("b", LONGEST_LINE), ("c", 1)]


def test_a_fault_of_ours_in_one_line_loses_no_other(adt: Adt, typed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(string: str) -> dict[str, object]:
        return {"answer": 1 / int(string)}

    monkeypatch.setitem(decode_module._DECODERS, "usp", faulty)
    typed(b"0\n1\n")
    assert decoded(adt, "usp") == [{"error": "internal error, ZeroDivisionError; please report it"}, {"answer": 1}]


def test_one_string_is_readable(adt: Adt) -> None:
    assert adt("decode", "usp", "1YNN").lines[-3:] == ["Notice: Y", "OptOutSale: N", "LspaCovered: N"]
    shown = adt("decode", "gpp", "DBABLA~BEAQAAAAAg").lines
    assert {"sections:", "- id: 7", "  name: usnat", "    SaleOptOut: 1"} <= set(shown)


def test_one_string_as_json(adt: Adt) -> None:
    assert json.loads(adt("decode", "usp", "1YNN", "--json").out) == decode_us_privacy("1YNN")
    ended = adt("decode", "usp", "nonsense", "--json")
    assert ended.status == 1
    assert list(json.loads(ended.out)) == ["error"]
    assert ended.err.startswith("adtargeting: unreadable: ")
    assert ended.err.count("\n") == 1


def test_an_unreadable_string_is_a_refusal_that_does_not_repeat_it(adt: Adt) -> None:
    ended = adt("decode", "tcf", "secret!")
    assert (ended.status, ended.out) == (1, "")
    assert "unreadable: " in ended.err
    assert "secret" not in ended.err


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": 1, "b": True, "c": False}, ["a: 1", "b: yes", "c: no"]),
        ({"a": "", "b": None, "c": []}, ["a: none", "b: none", "c: none"]),
        ({"ids": [1, 2, 3, 5, 7, 8]}, ["ids: 1-3, 5, 7-8"]),
        ({"answers": [0, 1, 2]}, ["answers: 0, 1, 2"]),
        ({"answers": [2, 0, 1, 1]}, ["answers: 2, 0, 1, 1"]),
        ({"flags": [True, False]}, ["flags: yes, no"]),
        ({"text": "a\x1bb"}, ["text: a�b"]),
        ({"in": {"side": {"deep": 1}}}, ["in:", "  side:", "    deep: 1"]),
        ({"list": [{"a": 1, "b": 2}, 3]}, ["list:", "- a: 1", "  b: 2", "- 3"]),
    ],
    ids=["scalars", "nothing", "ids", "few numbers", "answers", "flags", "control", "nested", "list"],
)  # fmt: skip
def test_fields_are_readable(value: dict[str, object], shown: list[str]) -> None:
    assert list(readable(value)) == shown


def test_the_vectors_are_here() -> None:
    assert Path(VECTORS / "tcf.json").exists()
