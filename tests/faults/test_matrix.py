"""The runner of the fault matrix: planted regressions turn their rows red, and no other; and what it refuses."""

import json
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from server.store.embedded.server import EmbeddedRedis
from server.store.redis.handshake import open_connection
from tests.faults.__main__ import main
from tests.faults.matrix import planted
from tests.faults.matrix.evidence_file import write_evidence
from tests.faults.matrix.marks import Claim
from tests.faults.matrix.staging import require_empty
from tests.faults.matrix.verdicts import Evidence
from tests.server.store.conftest import own_redis

__all__ = ["own_redis"]

ROOT = Path(__file__).parents[2]
FILES = [f"tests/faults/test_{name}.py" for name in ("gate_protections", "hostile_bytes", "overload")]
TESTS = "(refused_while_the_rest_waits and grpcio) or that_ends_early or the_portions_of_a_batch or limits_no_patient"
"""One fast test, and its twin, of each planted row, and of row 9."""


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tests.faults", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_rows_whose_protection_is_gone_turn_red_and_no_other(tmp_path: Path) -> None:
    ran = run("--rows", "9,10,13,23", "--out", str(tmp_path), "--", *FILES, "-k", TESTS, "-p", planted.__name__)
    rows = {row["row"]: row for row in json.loads((tmp_path / "faults.json").read_text())}
    verdicts = {number: row["verdict"] for number, row in rows.items()}
    assert verdicts == {9: "held"} | dict.fromkeys(planted.ROWS, "NOT HELD")
    assert {row["protection_off"] for row in rows.values()} == {"fails"}
    assert all(rows[number]["failed"] for number in planted.ROWS)
    assert ran.returncode == 1
    assert "1 of 4 rows green" in ran.stdout


@pytest.mark.parametrize("rows", ["0", "28", "3-", "three", ""])
def test_a_row_that_does_not_exist_is_refused(
    rows: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["faults", "--rows", rows])
    with pytest.raises(SystemExit) as refused:
        main()
    assert refused.value.code == 2
    assert "must be numbers of rows from 1 to 27" in capsys.readouterr().err


def test_a_module_that_cannot_be_imported_makes_no_row_green(tmp_path: Path) -> None:
    broken = tmp_path / "test_broken.py"
    broken.write_text("import no_such_module\n", encoding="ascii")
    ran = run("--rows", "26", "--quick", "--", "tests/server/store/test_circuit.py", str(broken))
    assert ran.returncode == 2
    assert "faults: the tests cannot run: a module outside" in ran.stderr


def test_what_a_run_of_the_tests_kept_need_not_be_shown_again(tmp_path: Path) -> None:
    evidence = [Evidence("a test", Claim(9, protection_off=off), "passed", ("kept",)) for off in (False, True)]
    write_evidence(tmp_path / "tests.json", evidence)
    ran = run("--rows", "9", "--after", str(tmp_path / "tests.json"), "--out", str(tmp_path), "--", *FILES)
    assert ran.returncode == 0, ran.stdout
    assert "| held | kept | fails | kept |" in ran.stdout


class TestOnAStoreOfAnOperator:
    def test_the_rows_that_need_only_a_store_run_there_and_leave_it_empty(
        self, tmp_path: Path, own_redis: EmbeddedRedis
    ) -> None:
        arguments = ["--redis-url", own_redis.url, "--out", str(tmp_path), "--", "tests/faults/test_emptied_store.py"]
        ran = run(*arguments)
        assert ran.returncode == 0, ran.stdout
        assert "1 of 1 rows green" in ran.stdout
        require_empty(own_redis.address)

    def test_one_that_has_data_is_refused_and_left_as_it_is(
        self, own_redis: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["faults", "--redis-url", own_redis.url])
        with closing(open_connection(own_redis.address, 5)) as connection:
            connection.ask((b"SET", b"theirs", b"data"), time.monotonic() + 5)
            assert main() == 2
            assert connection.ask((b"GET", b"theirs"), time.monotonic() + 5) == b"data"
        assert "database 0 has 1 keys; name a server without data" in capsys.readouterr().err

    @pytest.mark.parametrize("url", ["ftp://somewhere", "redis+cluster://127.0.0.1:1", "unix:///nowhere.sock"])
    def test_one_that_cannot_be_used_is_refused(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["faults", "--redis-url", url])
        assert main() == 2
