"""The committed stubs are those of the committed contract, and every name in it says what it means."""

from itertools import pairwise
from pathlib import Path

import pytest
from generate_stubs import ROOT, generate

PROTOS = sorted(ROOT.glob("adtargeting/v1/*.proto"))


def test_regeneration_changes_nothing(tmp_path: Path) -> None:
    generate(tmp_path)
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*_pb2*"))
    assert len(written) == 3 * len(PROTOS)
    for path in written:
        assert (tmp_path / path).read_bytes() == (ROOT / path).read_bytes(), path


@pytest.mark.parametrize("proto", PROTOS, ids=lambda path: path.name)
def test_every_field_value_and_rpc_has_a_comment(proto: Path) -> None:
    lines = [line.strip() for line in proto.read_text().splitlines()]
    for before, line in pairwise(lines):
        if (
            line.endswith(";")
            and ("=" in line or line.startswith("rpc "))
            and not line.startswith(("syntax", "option "))
        ):
            assert before.startswith("//"), line
