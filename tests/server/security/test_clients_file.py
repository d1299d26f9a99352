"""The clients file: accepted as a whole, or refused in one line that names file, line and key, and never a value."""

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from server.schemas.files import CLIENTS_SCHEMA
from server.security import clients as clients_module
from server.security.clients_file import ClientsFileError, load_clients
from server.security.current_clients import CurrentClients
from server.security.roles import Role
from server.security.tokens import digest_of, new_token

DIGEST = digest_of(b"secret").hex()
OTHER = digest_of(b"other").hex()
SECRET = "adt_a-token-in-clear"


def client(**values: object) -> str:
    given = {"name": "ads", "roles": ["decide"], "token_sha256": [DIGEST], **values}
    lines = (f"{key} = {json.dumps(value)}" for key, value in given.items() if value is not None)
    return "\n".join(["[[clients]]", *lines, ""])


GOOD = {
    "a token": client(),
    "two tokens during a rotation": client(token_sha256=[DIGEST, OTHER]),
    "a digest in capitals": client(token_sha256=[DIGEST.upper()]),
    "a URI": client(token_sha256=None, san=["spiffe://example.org/ads"]),
    "a DNS name, and a token": client(san=["Ads.example.org"]),
    "every role": client(roles=[role.value for role in Role]),
    "two clients": client() + client(name="support", token_sha256=[OTHER]),
}

BAD = {
    "not TOML": ("[[clients", "is not TOML"),
    "empty": ("", "has no clients"),
    "no list": ('clients = "ads"', ":1: clients: must be tables"),
    "a list of texts": ('clients = ["ads"]', ":1: clients: must be tables"),
    "an unknown table": (client() + "[servers]\n", ":5: servers: unknown key"),
    "an unknown key": (client(token=SECRET), r":5: clients\[0\].token: unknown key; the keys are name, roles, san"),
    "an unknown role": (client(roles=["decide", "admin"]), r":3: clients\[0\].roles\[1\]: unknown role; the roles are"),
    "no roles": (client(roles=[]), r":3: clients\[0\].roles: must list at least one of decide, explain"),
    "roles as a text": (client(roles="decide"), r":3: clients\[0\].roles: must list"),
    "a role that is a number": (client(roles=[1]), r":3: clients\[0\].roles\[0\]: unknown role"),
    "no name": (client(name=None), r":1: clients\[0\].name: must be 1 to 64 letters"),
    "a name with a colon": (client(name="internal:pages"), r":2: clients\[0\].name: must be"),
    "a name twice": (client() + client(token_sha256=[OTHER]), r":6: clients\[1\].name: is used by another client"),
    "no credential": (client(token_sha256=None), r":1: clients\[0\]: needs token_sha256 or san"),
    "a token in clear": (client(token_sha256=[SECRET]), r":4: clients\[0\].token_sha256\[0\]: must be the SHA-256"),
    "a digest as a text": (client(token_sha256=DIGEST), r":4: clients\[0\].token_sha256: must be a list of at most 2"),
    "three tokens": (client(token_sha256=[DIGEST, OTHER, "0" * 64]), r":4: .*: must be a list of at most 2"),
    "a digest twice": (client() + client(name="b"), r":8: clients\[1\].token_sha256\[0\]: is given twice"),
    "a name of a certificate twice": (client(san=["a.example", "A.example"]), r":5: clients\[0\].san\[1\]: is given"),
    "a wildcard": (client(san=["*.example.org"]), r":5: clients\[0\].san\[0\]: must be a URI"),
    "an e-mail address": (client(san=["ads@example.org"]), r":5: clients\[0\].san\[0\]: must be a URI"),
}


def written(directory: Path, text: str) -> Path:
    path = directory / "clients.toml"
    path.write_text(text)
    return path


def schema() -> Any:
    return json.loads(CLIENTS_SCHEMA.read_text())


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_a_good_file_is_accepted_by_the_service_and_by_the_schema(tmp_path: Path, text: str) -> None:
    assert load_clients(written(tmp_path, text)).count == text.count("[[clients]]")
    jsonschema.validate(tomllib.loads(text), schema())


@pytest.mark.parametrize(("text", "problem"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_in_one_line(tmp_path: Path, text: str, problem: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ClientsFileError, match=problem) as refused:
        load_clients(path)
    said = str(refused.value)
    assert str(path) in said
    assert "\n" not in said
    assert SECRET not in said


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "cannot be read: No such file"), (b"\xff", "is not UTF-8"), (b"#" * (1 << 21), "cannot be read: larger")],
    ids=["missing", "not UTF-8", "huge"],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "clients.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ClientsFileError, match=f"ADTARGETING_CLIENTS: .*{problem}"):
        load_clients(path)


def test_a_reload_takes_a_good_file_and_leaves_a_bad_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    current = CurrentClients(str(written(tmp_path, client())))
    written(tmp_path, client(token_sha256=[SECRET]))
    current.reload()
    assert current.clients.with_digest(bytes.fromhex(DIGEST)) is not None
    assert "clients file refused, the current clients stay" in caplog.text
    assert SECRET not in caplog.text
    written(tmp_path, client(token_sha256=[OTHER]))
    current.reload()
    assert current.clients.with_digest(bytes.fromhex(DIGEST)) is None
    assert current.clients.with_digest(bytes.fromhex(OTHER)) is not None
    assert "clients file loaded: 1 client\n" in caplog.text


def test_a_changed_file_is_taken_once_it_has_settled(tmp_path: Path) -> None:
    current = CurrentClients(str(written(tmp_path, client())))
    written(tmp_path, client(name="ads", token_sha256=[OTHER, DIGEST]))
    current.reload_if_changed()
    assert current.clients.with_digest(bytes.fromhex(OTHER)) is None, "it may still be written"
    current.reload_if_changed()
    assert current.clients.with_digest(bytes.fromhex(OTHER)) is not None


def test_digests_are_compared_whole(tmp_path: Path) -> None:
    clients = load_clients(written(tmp_path, client()))
    listed = bytes.fromhex(DIGEST)
    assert clients.with_digest(listed[:8] + bytes(24)) is None


def test_headers_are_remembered_within_bounds_and_only_good_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients_module, "MOST_KNOWN", 2)
    clients = load_clients(written(tmp_path, client()))
    headers = [b"Bearer" + b" " * spaces + b"secret" for spaces in (1, 2, 3)]
    for header in (*headers, b"Bearer wrong", *headers):
        assert (clients.with_authorization([header]) is not None) == (header in headers)
    assert clients.with_authorization(headers) is None
    assert list(clients._known) == headers[:2]


def test_tokens_are_random_and_differ() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(token.startswith("adt_") and len(token) == 47 for token in tokens), "32 random bytes in base 64"
