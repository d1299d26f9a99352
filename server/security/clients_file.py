"""Reading of the clients file: accepted as a whole, or refused in one line that names the place.

A message never holds a value of the file, which may be a token that was written there by mistake.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from server.files.bounded_file import read_bounded
from server.policy.policy_lines import line_of
from server.policy.toml import parse_toml
from server.security.clients import Client, Clients
from server.security.roles import Role
from server.settings import SettingsError

SETTING: Final = "ADTARGETING_CLIENTS"
MOST_CREDENTIALS: Final = 2
"""How many of each kind one client may have: the current one, and the next during a rotation."""

CLIENT_KEYS: Final = frozenset({"name", "roles", "token_sha256", "san"})
NAME_PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
DIGEST_PATTERN: Final = r"[0-9a-fA-F]{64}"
SAN_PATTERN: Final = (
    r"[A-Za-z][A-Za-z0-9+.-]*://[!-~]{1,2000}"
    r"|[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_LARGEST_FILE: Final = 1 << 20
_ROLES: Final = {role.value: role for role in Role}


class ClientsFileError(SettingsError):
    """An invalid clients file, in one line: file, line number, key, and remedy."""


class _Fault(Exception):
    """What is wrong with a key, such as ``clients[1].roles``."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key = key
        self.problem = problem


def load_clients(path: Path) -> Clients:
    """Read a clients file within bounds of size and time. Raises ``ClientsFileError``."""
    try:
        text = read_bounded(path, _LARGEST_FILE).decode("utf-8")
    except OSError as problem:
        raise ClientsFileError(f"{SETTING}: {path} cannot be read: {problem.strerror}") from problem
    except UnicodeDecodeError:
        raise ClientsFileError(f"{SETTING}: {path} is not UTF-8") from None
    try:
        return _clients(parse_toml(text))
    except tomllib.TOMLDecodeError as problem:
        raise ClientsFileError(f"{SETTING}: {path} is not TOML: {problem}") from None
    except _Fault as fault:
        place = f"{path}:{line_of(text, fault.key)}" if fault.key else str(path)
        raise ClientsFileError(f"{place}: {': '.join(filter(None, (fault.key, fault.problem)))}") from None


def _clients(table: Mapping[str, Any]) -> Clients:
    if unknown := sorted(table.keys() - {"clients"}):
        raise _Fault(unknown[0], "unknown key; the file holds [[clients]]")
    entries = table.get("clients", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _Fault("clients", "must be tables that begin with [[clients]]")
    if not entries:
        raise _Fault("", "has no clients, so every call would be denied; add [[clients]]")
    register = _Register()
    for index, entry in enumerate(entries):
        register.add(f"clients[{index}]", entry)
    return Clients(register.by_digest, register.by_san)


class _Register:
    """The clients read so far. Nothing is given twice."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self.by_digest: dict[bytes, Client] = {}
        self.by_san: dict[str, Client] = {}

    def add(self, place: str, entry: Mapping[str, Any]) -> None:
        """Add one client. Raises ``_Fault``."""
        if unknown := sorted(entry.keys() - CLIENT_KEYS):
            raise _Fault(f"{place}.{unknown[0]}", f"unknown key; the keys are {', '.join(sorted(CLIENT_KEYS))}")
        name = _name(f"{place}.name", entry.get("name"))
        if name in self._names:
            raise _Fault(f"{place}.name", "is used by another client; names must differ")
        self._names.add(name)
        client = Client(name, _roles(f"{place}.roles", entry.get("roles")))
        digests = _credentials(f"{place}.token_sha256", entry, DIGEST_PATTERN, _DIGEST_REMEDY)
        sans = _credentials(f"{place}.san", entry, SAN_PATTERN, _SAN_REMEDY)
        if not digests and not sans:
            raise _Fault(place, "needs token_sha256 or san, or it could never call")
        for index, digest in enumerate(digests):
            self._put(self.by_digest, f"{place}.token_sha256[{index}]", bytes.fromhex(digest), client)
        for index, san in enumerate(sans):
            self._put(self.by_san, f"{place}.san[{index}]", san if "://" in san else san.lower(), client)

    @staticmethod
    def _put(register: dict[Any, Client], key: str, credential: bytes | str, client: Client) -> None:
        if credential in register:
            raise _Fault(key, "is given twice; every credential belongs to one client")
        register[credential] = client


_DIGEST_REMEDY = (
    "must be the SHA-256 of a token in 64 hexadecimal digits, as `adtargeting token new` prints it; "
    "a token itself must not be in this file"
)
_SAN_REMEDY = "must be a URI such as spiffe://example.org/ads, or a DNS name without a wildcard"


def _name(key: str, value: object) -> str:
    if not (isinstance(value, str) and re.fullmatch(NAME_PATTERN, value)):
        raise _Fault(key, "must be 1 to 64 letters, digits, '-', '_' or '.', and begin with a letter or digit")
    return value


def _roles(key: str, value: object) -> frozenset[Role]:
    if not (isinstance(value, list) and value):
        raise _Fault(key, f"must list at least one of {', '.join(_ROLES)}")
    for index, role in enumerate(value):
        if not (isinstance(role, str) and role in _ROLES):
            raise _Fault(f"{key}[{index}]", f"unknown role; the roles are {', '.join(_ROLES)}")
    return frozenset(_ROLES[role] for role in value)


def _credentials(key: str, entry: Mapping[str, Any], pattern: str, remedy: str) -> list[str]:
    values = entry.get(key.rpartition(".")[2], [])
    if not (isinstance(values, list) and len(values) <= MOST_CREDENTIALS):
        raise _Fault(key, f"must be a list of at most {MOST_CREDENTIALS}")
    for index, value in enumerate(values):
        if not (isinstance(value, str) and re.fullmatch(pattern, value)):
            raise _Fault(f"{key}[{index}]", remedy)
    return values
