"""The settings, read once from the environment and a TOML file. Nothing else reads the environment.

Every setting is ``ADTARGETING_<NAME>`` in the environment, and the same name in the file of ``--config``; the
environment wins. Unknown names and impossible values stop the start with one line. ``repr`` hides secrets.
A secret may also be read from a file: ``ADTARGETING_<NAME>_FILE`` names it.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_type_hints

from server.files.bounded_file import read_bounded
from server.policy.toml import parse_toml

PREFIX = "ADTARGETING_"
UNIX_PREFIX = "unix:"
"""What begins the address of a Unix socket; its path follows."""
_LAST_PORT = 65_535
MOST_PROCESSES = 64
_MODE = re.compile(r"0?[0-7]{3}")
_KEY_PREFIX = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_LARGEST_FILE = 1 << 20


class SettingsError(Exception):
    """A setting is unusable. The message is one line that names the setting and the remedy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Times in milliseconds unless the name says otherwise."""

    grpc_address: str = field(default="127.0.0.1:50051", metadata={"address": True})
    metrics_address: str = field(default="127.0.0.1:9464", metadata={"address": True})
    data_dir: Path = Path(".data")
    redis_url: str = field(default="", repr=False, metadata={"secret": True})
    """A secret: it may hold a password."""
    redis_password_file: str = ""
    """A file that has the password of ``redis_url``, read for every connection, so that it can be rotated."""
    key_prefix: str = field(default="adt", metadata={"key_prefix": True})
    """The beginning of every key in the store."""
    gate: str = field(default="auto", metadata={"choices": ("auto", "http2", "grpcio")})
    geo_db: str = ""
    policy: str = ""
    decision_records: str = ""
    """The file of decision records; empty: none are written."""
    decision_records_one_in: int = field(default=100, metadata={"bounds": (1, 1_000_000)})
    """One of this number of decisions is recorded."""
    decision_records_crowd: int = field(default=20, metadata={"bounds": (1, 10_000)})
    """How many people must have the same record in an hour before it is written."""
    policy_shadow: str = ""
    """A policy that judges decisions as well and changes nothing."""
    policy_shadow_one_in: int = field(default=1, metadata={"bounds": (1, 1_000_000)})
    """It judges one of this number of decisions."""
    nap_keys: str = ""
    secret_key_file: str = ""
    decision_budget_ms: int = field(default=25, metadata={"bounds": (1, 10_000)})
    write_budget_ms: int = field(default=500, metadata={"bounds": (1, 60_000)})
    max_inflight: int = field(default=2048, metadata={"bounds": (1, 1_000_000)})
    max_inflight_mib: int = field(default=64, metadata={"bounds": (1, 65_536)})
    max_connections: int = field(default=4096, metadata={"bounds": (1, 1_000_000)})
    max_streams: int = field(default=16, metadata={"bounds": (1, 10_000)})
    """Calls in flight of one connection of the http2 gate."""
    idle_timeout_s: int = field(default=300, metadata={"bounds": (1, 86_400)})
    hosts: str = ""
    """Names by which HTTP/1.1 and browsers may call the gRPC port, beside its own; separated by commas."""
    origins: str = ""
    """Origins whose pages may call the gRPC port; separated by commas."""
    processes: str = field(default="auto", metadata={"processes": True})
    """Worker processes: ``auto`` or a number."""
    other_workers: int = field(default=2, metadata={"bounds": (1, 32)})
    replicas: int = field(default=0, metadata={"bounds": (0, 16)})
    confirm_on_disk: str = field(default="no", metadata={"choices": ("no", "yes")})
    """Whether a choice is CONFIRMED only once the Redis of ``redis_url`` has it on disk."""
    encrypt_records: str = field(default="yes", metadata={"choices": ("no", "yes")})
    """Whether records are sealed when they are written; sealed ones are opened in either case."""
    canaries: str = field(default="yes", metadata={"choices": ("no", "yes")})
    """Whether leak canaries are written into the store and asked about every second."""
    drain_delay_s: int = field(default=1, metadata={"bounds": (0, 600)})
    """How long health reports NOT_SERVING before new calls are refused."""
    drain_grace_s: int = field(default=10, metadata={"bounds": (0, 600)})
    tls_cert: str = ""
    """The certificate chain of the TCP listeners, in PEM."""
    tls_key: str = ""
    """Its private key, in PEM."""
    tls_client_ca: str = ""
    """The authorities whose client certificates are accepted, in PEM; empty: none are asked for."""
    clients: str = ""
    """The clients file: who may call, and what; empty: everyone on this machine may call everything."""
    insecure_listen: str = field(default="no", metadata={"choices": ("no", "yes")})
    """Whether listeners outside the loopback may lack TLS or clients, because something else protects them."""
    socket_mode: str = field(default="0660", metadata={"mode": True})
    """The permissions of Unix sockets, in octal."""
    token_file: str = ""
    """A file with the bearer token that the commands send; the service does not read it."""
    web_address: str = ""
    """Where the pages are served: host:port, or ``unix:`` and a path; empty: nowhere."""
    web_origin: str = ""
    """The site's origin, as the person's browser shows it; empty: ``http://`` and ``web_address``."""
    web_account_header: str = ""
    """The request header in which a trusted proxy names the account."""
    web_trusted_proxies: str = ""
    """Addresses and networks of those proxies, ``unix`` for a Unix socket, ``client:`` and a client's name for one that
    its certificate proves; separated by commas."""
    web_links: str = ""
    """A TOML file of links to other places to choose."""
    traces: str = ""
    """URL of an OTLP receiver that gets traces; empty: none are made."""
    traces_one_in: int = field(default=1000, metadata={"bounds": (1, 1_000_000_000)})
    """One call in this number is traced, where the caller does not say."""
    audit_log: str = ""
    """The file of the audit log, or ``-`` for standard output; empty: none is written."""
    audit_required: str = field(default="no", metadata={"choices": ("no", "yes")})
    """Whether calls about people are refused while the audit log cannot be written."""
    log_format: str = field(default="text", metadata={"choices": ("text", "json")})
    log_level: str = field(default="INFO", metadata={"choices": ("DEBUG", "INFO", "WARNING", "ERROR")})

    @property
    def secret_key_path(self) -> Path:
        """The path of the secret key."""
        return Path(self.secret_key_file) if self.secret_key_file else self.data_dir / "secret.key"

    @property
    def secret_key_setting(self) -> str:
        """The setting that determines the path of the secret key."""
        return PREFIX + ("SECRET_KEY_FILE" if self.secret_key_file else "DATA_DIR")


def read_settings(environment: Mapping[str, str], config: Path | None = None) -> Settings:
    """Read the settings. Raises ``SettingsError``."""
    values_by_name: dict[str, object] = {}
    if config is not None:
        values_by_name |= _read_file(config)
    values_by_name |= {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    known = {PREFIX + setting.name.upper(): setting for setting in fields(Settings)}
    values_by_name = _with_secrets(values_by_name)
    if unknown := sorted(values_by_name.keys() - known.keys()):
        raise SettingsError(f"{unknown[0]}: unknown setting; {_proposal(unknown[0])}")
    types = get_type_hints(Settings)
    values: dict[str, Any] = {}  # each converted to the type of its field
    for name, value in values_by_name.items():
        setting = known[name]
        converted = _convert(name, value, types[setting.name], setting.metadata)
        values[setting.name] = _check(name, converted, setting.metadata)
    return Settings(**values)


def _proposal(unknown: str) -> str:
    """Return the name that was probably meant, if one is similar, and where all names are."""
    names = sorted([*(setting.name.upper() for setting in fields(Settings)), *map(_bare, secret_files())])
    listed = "docs/operate.md lists the settings"
    # Without the prefix, which would make all names similar.
    similar = get_close_matches(_bare(unknown), names, n=1)
    return f"did you mean {PREFIX}{similar[0]}? {listed}" if similar else listed


def _bare(name: str) -> str:
    return name.removeprefix(PREFIX)


def secret_files() -> dict[str, str]:
    """Return the settings that name a file with a secret, each with the setting that the secret is the value of."""
    secrets = [PREFIX + setting.name.upper() for setting in fields(Settings) if setting.metadata.get("secret")]
    return {f"{name}_FILE": name for name in secrets}


def _with_secrets(values_by_name: Mapping[str, object]) -> dict[str, object]:
    """Replace the settings that name a file with a secret by the secret. Raises ``SettingsError``."""
    values = dict(values_by_name)
    for file, name in secret_files().items():
        path = values.pop(file, "")
        if not path:
            continue
        if values.get(name):
            raise SettingsError(f"{file}: set either this or {name}")
        values[name] = read_secret(file, Path(str(path)))
    return values


def read_secret(name: str, path: Path) -> str:
    """Read a secret from the file that a setting names. Raises ``SettingsError``."""
    try:
        secret = read_bounded(path, _LARGEST_FILE).decode("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise SettingsError(f"{name}: {path} is not UTF-8") from None
    if not secret:
        raise SettingsError(f"{name}: {path} is empty")
    return secret


def _read_file(path: Path) -> Mapping[str, object]:
    try:
        return parse_toml(read_bounded(path, _LARGEST_FILE).decode("utf-8"))
    except OSError as error:
        raise SettingsError(f"--config: {path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"--config: {path} is not TOML: {error}") from error


def _convert(name: str, value: object, target: type, limits: Mapping[str, object]) -> object:
    if target is int:
        try:
            return int(str(value))
        except ValueError:
            raise SettingsError(f"{name}: must be a whole number") from None
    # A number of processes may be a number in the file; ``_check`` refuses what is none.
    if not isinstance(value, str) and "processes" not in limits:
        raise SettingsError(f"{name}: must be a string")
    return target(value)


def _check(name: str, value: object, limits: Mapping[str, object]) -> object:
    if (
        isinstance(value, int)
        and isinstance(bounds := limits.get("bounds"), tuple)
        and not bounds[0] <= value <= bounds[1]
    ):
        raise SettingsError(f"{name}: must be between {bounds[0]} and {bounds[1]}")
    if isinstance(choices := limits.get("choices"), tuple) and value not in choices:
        raise SettingsError(f"{name}: must be one of {', '.join(choices)}")
    if "processes" in limits:
        return checked_processes(name, str(value))
    if "key_prefix" in limits and not _KEY_PREFIX.fullmatch(str(value)):
        raise SettingsError(f"{name}: must be 1 to 32 letters, digits, '-', '_' or '.'")
    if "mode" in limits and not _MODE.fullmatch(str(value)):
        raise SettingsError(f"{name}: must be permissions in octal, such as 0660")
    return checked_address(name, str(value)) if "address" in limits else value


def checked_processes(name: str, value: str) -> str:
    """Return the value if it is ``auto`` or a possible number of processes. Raises ``SettingsError``."""
    if value != "auto" and not (value.isascii() and value.isdecimal() and 1 <= int(value) <= MOST_PROCESSES):
        raise SettingsError(f"{name}: must be auto, or a number from 1 to {MOST_PROCESSES}")
    return value


def checked_address(name: str, value: str) -> str:
    """Return the address if it is ``host:port`` with a possible port, or ``unix:`` and a path.

    Raises ``SettingsError``.
    """
    if len(value) > len(UNIX_PREFIX) and value.startswith(UNIX_PREFIX):
        return value
    host, _, port = value.rpartition(":")
    if not (host and port.isascii() and port.isdecimal() and int(port) <= _LAST_PORT):
        raise SettingsError(f"{name}: must be host:port, with a port from 0 to {_LAST_PORT}, or unix: and a path")
    return value
