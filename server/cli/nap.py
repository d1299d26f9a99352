"""``adtargeting nap``: encrypt or decrypt a ``NAP`` cookie, for operators who have the keys."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from server.cli.command import Command, text
from server.cli.failures import OK, Refused, UsageError
from server.cli.shell import Shell, plain
from server.keys.nap import NapCipher, read_keys
from targeting.model import Gender
from targeting.places.locale import best_language, parse_country
from targeting.signals.nap import Nap

_GENDERS = {gender.name.lower(): gender for gender in Gender if gender}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the action, the token and the fields."""
    parser.add_argument("action", choices=("encrypt", "decrypt"), help="make a token from fields, or read one")
    parser.add_argument("token", nargs="?", type=text, default="", help="value of the cookie; decrypt only")
    parser.add_argument("--keys", type=Path, metavar="FILE", help="key file (ADTARGETING_NAP_KEYS)")
    parser.add_argument("--country", type=text, default="", metavar="CODE")
    parser.add_argument("--language", type=text, default="", metavar="TAG")
    parser.add_argument("--postal-code", type=text, default="", metavar="CODE")
    parser.add_argument("--occupation", type=text, default="", metavar="TEXT")
    parser.add_argument("--age", type=int, metavar="YEARS")
    parser.add_argument("--gender", choices=_GENDERS)


def run(options: Namespace, shell: Shell) -> int:
    """Encrypt the fields or decrypt the token, and print the result."""
    cipher = NapCipher(read_keys(_key_file(options, shell)), lambda: None)
    if options.action == "encrypt":
        shell.write(_encrypted(cipher, options))
        return OK
    if not options.token:
        raise UsageError("nap decrypt needs the value of the cookie")
    found = cipher.decrypt(options.token)
    if found is None:
        raise Refused("the value cannot be decrypted with these keys")
    for name, value in found._asdict().items():
        if value not in {"", None, Gender.UNKNOWN}:
            shell.write(f"{name}: {value.name.lower() if isinstance(value, Gender) else plain(str(value))}")
    return OK


def _key_file(options: Namespace, shell: Shell) -> Path:
    path = options.keys or shell.settings().nap_keys
    if not path:
        raise UsageError("no key file: set --keys FILE or ADTARGETING_NAP_KEYS")
    return Path(path)


def _encrypted(cipher: NapCipher, options: Namespace) -> str:
    if options.token:
        raise UsageError("nap encrypt takes fields such as --country and --age, not a value")
    fields = Nap(
        country=parse_country(options.country) or options.country,
        postal_code=options.postal_code,
        age=options.age,
        gender=_GENDERS[options.gender] if options.gender else Gender.UNKNOWN,
        language=best_language(options.language, "") or options.language,
        occupation=options.occupation,
    )
    try:
        return cipher.encrypt(fields)
    except ValueError as problem:
        raise UsageError(str(problem)) from None


NAP = Command(add_arguments, run)
