"""The NAP cookie: its plain text, and its encryption under keys that rotate."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from server.keys.nap import MAX_TOKEN_LENGTH, NapCipher, NapKeyError, read_keys
from targeting.model import Gender
from targeting.places.iso3166 import COUNTRIES
from targeting.signals.nap import MAX_LENGTH, Nap, parse_nap, render_nap
from targeting.signals.unreadable import Unreadable

ALICE = Nap("GB", "SW1A 1AA", 34, Gender.FEMALE, "en-GB", "teacher")
ALICE_TEXT = b"country=GB&postal_code=SW1A+1AA&age=34&gender=female&language=en-GB&occupation=teacher"


def test_a_plain_text_reads_as_its_fields() -> None:
    assert parse_nap(ALICE_TEXT) == ALICE
    assert render_nap(ALICE) == ALICE_TEXT


def test_what_is_not_known_is_not_written() -> None:
    assert render_nap(Nap()) == b""
    assert render_nap(Nap(age=0)) == b"age=0"


@pytest.mark.parametrize(
    ("plaintext", "nap"),
    [
        pytest.param(b"", Nap(), id="nothing"),
        pytest.param(b"age=0", Nap(age=0), id="age-0"),
        pytest.param(b"age=150", Nap(age=150), id="age-150"),
        pytest.param(b"age=", Nap(), id="empty-age"),
        pytest.param(b"country=deu&language=DE_at", Nap(country="DE", language="de-AT"), id="normal-forms"),
        pytest.param(b"gender=other", Nap(gender=Gender.OTHER), id="gender"),
        pytest.param(b"gender=unknown&gender_2=x", Nap(), id="unknown-gender"),
        pytest.param(b"gender=F&country=EU&language=!&age=9", Nap(age=9), id="unreadable-beside-the-age"),
        pytest.param(b"occupation=caf%C3%A9", Nap(occupation="caf\u00e9"), id="utf-8"),
        pytest.param(b"occupation=a%0D%0Ab&postal_code=%00", Nap(), id="controls"),
        pytest.param(b"postal_code=" + b"9" * 16, Nap(postal_code="9" * 16), id="longest-postal-code"),
        pytest.param(b"postal_code=" + b"9" * 17 + b"&age=9", Nap(age=9), id="too-long-postal-code"),
        pytest.param(b"occupation=" + b"%C3%A9" * 33, Nap(), id="66-bytes-of-occupation"),
        pytest.param(b"version=2&age=9&shoe_size=43", Nap(age=9), id="fields-of-a-newer-writer"),
    ],
)
def test_fields_stand_for_themselves(plaintext: bytes, nap: Nap) -> None:
    assert parse_nap(plaintext) == nap


@pytest.mark.parametrize(
    "plaintext",
    [
        pytest.param(b"age=-1", id="negative-age"),
        pytest.param(b"age=151", id="age-151"),
        pytest.param(b"age=9.5", id="age-with-a-fraction"),
        pytest.param(b"age=nine", id="age-in-words"),
        pytest.param(b"age=+9", id="age-after-a-space"),
        pytest.param(b"age=%D9%A9", id="age-in-another-script"),
        pytest.param(b"age=" + b"9" * 900, id="age-of-900-digits"),
        pytest.param(b"age=9&age=30", id="two-ages"),
        pytest.param(b"country=GB&country=GB", id="a-field-twice"),
        pytest.param(b"age", id="no-equals"),
        pytest.param(b"age=9&", id="empty-field"),
        pytest.param(b'{"age": 9}', id="json"),
        pytest.param(b"occupation=%FF", id="no-utf-8"),
        pytest.param(b"occupation=\xff", id="no-ascii"),
        pytest.param(b"&".join(b"f%d=1" % number for number in range(17)), id="17-fields"),
        pytest.param(b"f=".ljust(MAX_LENGTH + 1, b"x"), id="too-long"),
    ],
)
def test_anything_else_is_unreadable(plaintext: bytes) -> None:
    with pytest.raises(Unreadable):
        parse_nap(plaintext)


def test_the_longest_plain_text_and_blank_fields() -> None:
    assert MAX_LENGTH == 1024
    assert parse_nap(b"f=".ljust(MAX_LENGTH, b"x")) == Nap()
    assert parse_nap(b"&".join(b"f%d=1" % number for number in range(16))) == Nap()
    assert parse_nap(b"age=&country=GB&postal_code=") == Nap(country="GB")
    with pytest.raises(Unreadable):
        parse_nap(b"age=&age=9")


@given(st.binary(max_size=200) | st.text(st.sampled_from("age=9&country%GB+ "), max_size=40).map(str.encode))
def test_a_plain_text_is_read_or_unreadable(plaintext: bytes) -> None:
    try:
        nap = parse_nap(plaintext)
    except Unreadable:
        return
    assert parse_nap(render_nap(nap)) == nap


PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=4)


@given(
    st.builds(
        Nap,
        country=st.sampled_from(["", *COUNTRIES]),
        postal_code=PRINTABLE,
        age=st.none() | st.integers(0, 150),
        gender=st.sampled_from(Gender),
        language=st.sampled_from(["", "de", "pt-BR", "zh-Hant-TW"]),
        occupation=PRINTABLE,
    )
)
def test_what_is_written_is_read_back(nap: Nap) -> None:
    assert parse_nap(render_nap(nap)) == nap


@pytest.mark.parametrize(
    "nap",
    [
        pytest.param(Nap(country="gb"), id="country"),
        pytest.param(Nap(language="en_gb"), id="language"),
        pytest.param(Nap(age=151), id="age"),
        pytest.param(Nap(age=-1), id="negative-age"),
        pytest.param(Nap(postal_code="x" * 17), id="postal-code"),
        pytest.param(Nap(occupation="x\n"), id="occupation"),
        pytest.param(Nap(occupation="x" * MAX_LENGTH), id="too-long"),
    ],
)
def test_only_normal_forms_are_written(nap: Nap) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the messages differ, and none of them matters
        render_nap(nap)


class Failures:
    """Counts what could not be decrypted."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def failures() -> Failures:
    return Failures()


def new_key() -> str:
    return Fernet.generate_key().decode()


def test_a_cookie_goes_there_and_back(failures: Failures) -> None:
    cipher = NapCipher([new_key()], failures)
    token = cipher.encrypt(ALICE)
    assert cipher.decrypt(token) == ALICE
    assert "teacher" not in token
    assert failures.count == 0


def test_keys_rotate(failures: Failures) -> None:
    old, new = new_key(), new_key()
    before, during, after = (NapCipher(keys, failures) for keys in ([old], [new, old], [new]))
    assert during.decrypt(before.encrypt(ALICE)) == ALICE
    assert after.decrypt(during.encrypt(ALICE)) == ALICE
    assert after.decrypt(before.encrypt(ALICE)) is None
    assert failures.count == 1


KEY = new_key()


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("x", id="short"),
        pytest.param("gAAAAA==", id="too-short-for-a-signature"),
        pytest.param(NapCipher([KEY], Failures()).encrypt(ALICE)[:-4], id="cut-off"),
        pytest.param(NapCipher([KEY], Failures()).encrypt(ALICE).swapcase(), id="changed"),
        pytest.param(Fernet(KEY).encrypt(b"age=151").decode(), id="unreadable-text"),
        pytest.param("é" * 100, id="not-ascii"),
        pytest.param("\ud800", id="lone-surrogate"),
        pytest.param("\0", id="zero-byte"),
        pytest.param("A" * (MAX_TOKEN_LENGTH + 1), id="too-long"),
    ],
)
def test_what_cannot_be_read_is_ignored_and_counted(failures: Failures, token: str) -> None:
    assert NapCipher([KEY], failures).decrypt(token) is None
    assert failures.count == 1


def test_no_cookie_is_no_failure(failures: Failures) -> None:
    assert NapCipher([KEY], failures).decrypt("") is None
    assert failures.count == 0


def test_nothing_secret_is_shown(failures: Failures) -> None:
    assert repr(NapCipher([KEY, new_key()], failures)) == "NapCipher(2 keys)"
    assert repr(ALICE) == "Nap(...)"


def test_a_key_file_holds_a_key_a_line(tmp_path: Path) -> None:
    first, second = new_key(), new_key()
    path = tmp_path / "nap.keys"
    path.write_text(f"# clés de NAP\n\n{first}  # since May\r\n\t{second}\n", "utf-8")
    assert read_keys(path) == (first, second)


def test_a_key_in_the_place_of_a_file_name_is_not_repeated() -> None:
    with pytest.raises(NapKeyError, match="a key was given where the name of a key file belongs") as caught:
        read_keys(Path(KEY))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "contains no key", id="empty"),
        pytest.param(b"# none\n", "contains no key", id="comments"),
        pytest.param(f"{KEY}\nhunter2\n".encode(), ", line 2: not a key", id="short-key"),
        pytest.param(f"{KEY}{KEY}\n".encode(), ", line 1: not a key", id="two-keys-on-a-line"),
        pytest.param(f"#\n{KEY[:-1]}\n".encode(), ", line 2: not a key", id="no-padding"),
        pytest.param(f"{KEY[:-2]}+=\n".encode(), ", line 1: not a key", id="other-alphabet"),
        pytest.param(b"\xff\xfe", "cannot read the key file: not UTF-8", id="not-utf-8"),
        pytest.param(None, "cannot read the key file: No such file or directory", id="missing"),
    ],
)
def test_an_error_names_the_file_and_the_line_and_no_content(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "nap.keys"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NapKeyError) as caught:
        read_keys(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert not any(part in str(caught.value) for part in (KEY[:8], "hunter2"))
