"""``adtargeting nap``: make and read the encrypted ``NAP`` cookie, for operators who hold the keys."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from server.cli.command import Command, text
from server.cli.failures import OK, Misused, Refused
from server.cli.shell import Shell, plain
from server.keys.nap import NapCipher, read_keys
from targeting.model import Gender
from targeting.places.locale import best_language, parse_country
from targeting.signals.nap import Nap

_GENDERS = {gender.name.lower(): gender for gender in Gender if gender}


def arguments(parser: ArgumentParser) -> None:
    """Take what to do, and the fields or the token."""
    parser.add_argument("action", choices=("encrypt", "decrypt"), help="fields to token, or token to fields")
    parser.add_argument("token", nargs="?", type=text, default="", help="the cookie's value, to decrypt")
    parser.add_argument("--keys", type=Path, metavar="FILE", help="the key file (ADTARGETING_NAP_KEYS)")
    parser.add_argument("--country", type=text, default="", metavar="CODE")
    parser.add_argument("--language", type=text, default="", metavar="TAG")
    parser.add_argument("--postal-code", type=text, default="", metavar="CODE")
    parser.add_argument("--occupation", type=text, default="", metavar="TEXT")
    parser.add_argument("--age", type=int, metavar="YEARS")
    parser.add_argument("--gender", choices=_GENDERS)


def run(given: Namespace, shell: Shell) -> int:
    """Encrypt or decrypt."""
    cipher = NapCipher(read_keys(_key_file(given, shell)), lambda: None)
    if given.action == "encrypt":
        shell.write(_encrypted(cipher, given))
        return OK
    if not given.token:
        raise Misused("nap decrypt needs the cookie's value")
    found = cipher.decrypt(given.token)
    if found is None:
        raise Refused("the value does not decrypt with these keys, or holds no readable text")
    for name, value in found._asdict().items():
        if value not in {"", None, Gender.UNKNOWN}:
            shell.write(f"{name}: {value.name.lower() if isinstance(value, Gender) else plain(str(value))}")
    return OK


def _key_file(given: Namespace, shell: Shell) -> Path:
    path = given.keys or shell.settings().nap_keys
    if not path:
        raise Misused("name the key file: --keys FILE, or ADTARGETING_NAP_KEYS")
    return Path(path)


def _encrypted(cipher: NapCipher, given: Namespace) -> str:
    if given.token:
        raise Misused("nap encrypt takes fields, such as --country and --age, and no value")
    fields = Nap(
        country=parse_country(given.country) or given.country,
        postal_code=given.postal_code,
        age=given.age,
        gender=_GENDERS[given.gender] if given.gender else Gender.UNKNOWN,
        language=best_language(given.language, "") or given.language,
        occupation=given.occupation,
    )
    try:
        return cipher.encrypt(fields)
    except ValueError as problem:
        raise Misused(str(problem)) from None


NAP = Command(arguments, run)
