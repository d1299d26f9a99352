"""The settings: read once from the environment and a TOML file, then frozen. Nothing else reads the environment.

Every setting is ``ADTARGETING_<NAME>`` in the environment and the same name in the file of ``--config``; the
environment wins. Unknown names and impossible values stop the start with one line. Secrets are masked in ``repr``.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from server.policy.toml import parse_toml

PREFIX = "ADTARGETING_"
_LAST_PORT = 65_535


class SettingsError(Exception):
    """Settings that cannot be used. One line that names the setting and the remedy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Times in milliseconds unless the name says otherwise."""

    grpc_address: str = field(default="127.0.0.1:50051", metadata={"address": True})
    metrics_address: str = field(default="127.0.0.1:9464", metadata={"address": True})
    data_dir: Path = Path(".data")
    redis_url: str = field(default="", repr=False)
    """A secret: it may hold a password."""
    gate: str = field(default="auto", metadata={"choices": ("auto", "grpcio")})
    geo_db: str = ""
    policy: str = ""
    nap_keys: str = ""
    secret_key_file: str = ""
    decision_budget_ms: int = field(default=25, metadata={"bounds": (1, 10_000)})
    write_budget_ms: int = field(default=500, metadata={"bounds": (1, 60_000)})
    max_batch: int = field(default=64, metadata={"bounds": (1, 256)})
    max_inflight: int = field(default=2048, metadata={"bounds": (1, 1_000_000)})
    max_inflight_mib: int = field(default=64, metadata={"bounds": (1, 65_536)})
    workers: int = field(default=1, metadata={"bounds": (1, 32)})
    other_workers: int = field(default=2, metadata={"bounds": (1, 32)})
    replicas: int = field(default=0, metadata={"bounds": (0, 16)})
    confirm_on_disk: str = field(default="no", metadata={"choices": ("no", "yes")})
    """Whether a choice is confirmed only once it is on the disk of the Redis of ``redis_url``."""
    drain_delay_s: int = field(default=1, metadata={"bounds": (0, 600)})
    """How long health says NOT_SERVING before new calls are refused."""
    drain_grace_s: int = field(default=10, metadata={"bounds": (0, 600)})
    log_level: str = field(default="INFO", metadata={"choices": ("DEBUG", "INFO", "WARNING", "ERROR")})

    @property
    def secret_key_path(self) -> Path:
        """Where the key of pseudonyms and network ids is kept."""
        return Path(self.secret_key_file) if self.secret_key_file else self.data_dir / "secret.key"

    @property
    def secret_key_setting(self) -> str:
        """The setting that says so."""
        return PREFIX + ("SECRET_KEY_FILE" if self.secret_key_file else "DATA_DIR")


def read_settings(environment: Mapping[str, str], config: Path | None = None) -> Settings:
    """Read the settings. Raises ``SettingsError``."""
    given: dict[str, object] = {}
    if config is not None:
        given |= _file(config)
    given |= {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    known = {PREFIX + each.name.upper(): each for each in fields(Settings)}
    if unknown := sorted(given.keys() - known.keys()):
        raise SettingsError(f"{unknown[0]}: unknown setting; known are {', '.join(sorted(known))}")
    types = get_type_hints(Settings)
    values: dict[str, Any] = {}  # each checked against its field's type
    for name, value in given.items():
        each = known[name]
        values[each.name] = _checked(name, _converted(name, value, types[each.name]), each.metadata)
    return Settings(**values)


def _file(path: Path) -> Mapping[str, object]:
    try:
        return parse_toml(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise SettingsError(f"--config: cannot read the file: {problem.strerror}") from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SettingsError(f"--config: not a TOML file: {problem}") from problem


def _converted(name: str, value: object, wanted: type) -> object:
    if wanted is int:
        try:
            return int(str(value))
        except ValueError:
            raise SettingsError(f"{name}: must be a whole number") from None
    if not isinstance(value, str):
        raise SettingsError(f"{name}: must be a string")
    return wanted(value)


def _checked(name: str, value: object, limits: Mapping[str, object]) -> object:
    if (
        isinstance(value, int)
        and isinstance(bounds := limits.get("bounds"), tuple)
        and not bounds[0] <= value <= bounds[1]
    ):
        raise SettingsError(f"{name}: must be between {bounds[0]} and {bounds[1]}")
    if isinstance(choices := limits.get("choices"), tuple) and value not in choices:
        raise SettingsError(f"{name}: must be one of {', '.join(choices)}")
    return checked_address(name, str(value)) if "address" in limits else value


def checked_address(name: str, value: str) -> str:
    """Give an address back that names a host and a possible port. Raises ``SettingsError``."""
    host, _, port = value.rpartition(":")
    if not (host and port.isascii() and port.isdecimal() and int(port) <= _LAST_PORT):
        raise SettingsError(f"{name}: must be host:port, with a port up to {_LAST_PORT}")
    return value
