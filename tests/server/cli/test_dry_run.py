"""``--dry-run``: an opt-out that a signal carries limits the request and is not stored."""

import json
from pathlib import Path

import pytest

from tests.server.cli.conftest import Adt
from tests.waiting import eventually

BID_REQUEST = {"id": "1", "imp": [{"id": "1", "banner": {}}], "regs": {"gpc": 1, "ext": {"gpc": 1}}}


def stored_choice(served: Adt, account: str) -> str:
    held = json.loads(served("profile", "show", "--account", account).out)
    return str(held.get("preferences", {}).get("choice", ""))


def file_of(directory: Path) -> str:
    path = directory / "bid.json"
    path.write_text(json.dumps(BID_REQUEST))
    return str(path)


@pytest.mark.parametrize(
    ("dry", "storing"),
    [
        (["decide", "--gpc", "--dry-run"], ["decide", "--gpc"]),
        (["prepare", "FILE"], ["prepare", "FILE", "--no-dry-run"]),
        (["explain", "--gpc"], ["decide", "--gpc"]),
    ],
    ids=["decide", "prepare, by default", "explain reads only"],
)
def test_it_stores_nothing(served: Adt, tmp_path: Path, dry: list[str], storing: list[str]) -> None:
    def send(command: list[str], account: str) -> None:
        words = [file_of(tmp_path) if word == "FILE" else word for word in command]
        ended = served(*words, "--account", account)
        assert (ended.status, "GLOBAL_PRIVACY_CONTROL" in ended.out) == (0, True)

    tried, kept = f"tried-{dry[0]}", f"kept-{dry[0]}"
    send(dry, tried)
    send(storing, kept)
    # Opt-outs are stored in the order of the requests, so the first would be there before the second.
    eventually(lambda: stored_choice(served, kept) == "CHOICE_OPT_OUT")
    assert stored_choice(served, tried) == ""
