"""Files of tokens and certificates that a command cannot use: one line with file and remedy, and nothing is sent."""

from pathlib import Path

import pytest

from server.cli.main import main
from server.security.tokens import new_token

TOKEN_FILES = {
    "two lines of token new": f'{new_token()}\ntoken_sha256 = ["{"0" * 64}"]\n',
    "with its scheme": f"Bearer {new_token()}\n",
    "two tokens": f"{new_token()}\n{new_token()}\n",
    "not ASCII": "tokén\n",
    "a control character": "a\x00b\n",
}


def refusal(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Run a command that cannot use its credentials, at an address without a service, and return its line."""
    assert main(["decide", "--account", "bob", "--address", "127.0.0.1:1", *options]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize("content", TOKEN_FILES.values(), ids=TOKEN_FILES)
def test_a_file_that_is_more_than_a_token_is_refused_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    path = tmp_path / "token"
    path.write_text(content, encoding="utf-8")
    monkeypatch.setenv("ADTARGETING_TOKEN_FILE", str(path))
    assert refusal(capsys) == (
        f"adtargeting: ADTARGETING_TOKEN_FILE: {path} must contain one token and nothing else; "
        "keep the first line of what `adtargeting token new` printed\n"
    )


def test_a_token_file_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADTARGETING_TOKEN_FILE", str(tmp_path / "none"))
    assert f"ADTARGETING_TOKEN_FILE: {tmp_path}/none cannot be read: No such file" in refusal(capsys)


WRONG_KINDS = {
    "authorities": (("--tls-ca", "key"), "--tls-ca", "key has no certificate"),
    "certificate": (("--tls-cert", "key", "--tls-key", "key"), "--tls-cert", "key has no certificate"),
    "key": (("--tls-cert", "certificate", "--tls-key", "certificate"), "--tls-key", "certificate has no private key"),
}


@pytest.mark.parametrize(("options", "option", "problem"), WRONG_KINDS.values(), ids=WRONG_KINDS)
def test_a_file_of_another_kind_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    option: str,
    problem: str,
) -> None:
    (tmp_path / "certificate").write_text("-----BEGIN CERTIFICATE-----\n")
    (tmp_path / "key").write_text("-----BEGIN PRIVATE KEY-----\n")
    monkeypatch.chdir(tmp_path)
    assert refusal(capsys, *options) == f"adtargeting: {option}: {problem}; it must be PEM\n"
