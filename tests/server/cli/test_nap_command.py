"""``nap``: the encrypted cookie, made and read with the keys."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.server.cli.conftest import Adt

FIELDS = (
    "--country", "gbr", "--age", "34", "--gender", "female", "--language", "en-gb", "--postal-code", "SW1A 1AA",
    "--occupation", "teacher",
)  # fmt: skip


def test_what_is_encrypted_decrypts(adt: Adt, nap_keys: Path) -> None:
    keys = ["--keys", str(nap_keys)]
    token = adt("nap", "encrypt", *keys, *FIELDS).out.strip()
    assert "teacher" not in token
    for argv in ([token, *keys], [*keys, token]):
        assert adt("nap", "decrypt", *argv).lines == [
            "country: GB", "postal_code: SW1A 1AA", "age: 34", "gender: female", "language: en-GB",
            "occupation: teacher",
        ]  # fmt: skip


def test_the_keys_may_be_a_setting(adt: Adt, nap_keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADTARGETING_NAP_KEYS", str(nap_keys))
    token = adt("nap", "encrypt", "--age", "9").out.strip()
    assert adt("nap", "decrypt", token).lines == ["age: 9"]


def test_another_key_reads_nothing(adt: Adt, nap_keys: Path) -> None:
    token = adt("nap", "encrypt", "--keys", str(nap_keys), *FIELDS).out.strip()
    nap_keys.write_text(Fernet.generate_key().decode())
    ended = adt("nap", "decrypt", token, "--keys", str(nap_keys))
    assert (ended.status, ended.out) == (1, "")
    assert "cannot be decrypted" in ended.err


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["encrypt", "--age", "999"], "an age that is not a number from 0 to 150"),
        (["encrypt", "--postal-code", "1" * 99], "normal form"),
        (["encrypt", "token"], "takes fields"),
        (["decrypt"], "needs the value of the cookie"),
    ],
    ids=["an impossible age", "too long a code", "a value to encrypt", "nothing to decrypt"],
)
def test_what_makes_no_sense_is_a_usage_error(adt: Adt, nap_keys: Path, argv: list[str], problem: str) -> None:
    ended = adt("nap", *argv, "--keys", str(nap_keys))
    assert (ended.status, ended.out) == (2, "")
    assert problem in ended.err


@pytest.mark.parametrize("content", [None, "", "no key"], ids=["missing", "empty", "nonsense"])
def test_a_key_file_that_cannot_be_used_is_a_configuration_error(adt: Adt, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "keys"
    if content is not None:
        path.write_text(content)
    ended = adt("nap", "encrypt", "--keys", str(path), "--age", "9")
    assert ended.status == 2
    assert ended.err.count("\n") == 1
    assert "no key" not in ended.err.replace("contains no key", "")
