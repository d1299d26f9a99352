"""Reading of the policy file: accepted as a whole, or refused in one line that names the place.

The only module that reads it. ``targeting.policy.policy`` defines what it may contain.
"""

import hashlib
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from server.files.bounded_file import read_bounded
from server.policy.policy_lines import line_of
from server.policy.toml import parse_toml
from targeting.policy.policy import Policy, PolicyError, policy_from
from targeting.signals.tcf.vendor_list import VendorList, parse_vendor_list
from targeting.signals.unreadable import Unreadable

_LARGEST_POLICY = 1 << 20
_LARGEST_VENDOR_LIST = 64 << 20

__all__ = ["PolicyFileError", "load_policy"]


class PolicyFileError(PolicyError):
    """An invalid policy file, in one line: file, line number if known, key, and remedy."""

    def __init__(self, path: Path, key: str, problem: str, line: int = 0) -> None:
        super().__init__(key, problem)
        self._place = f"{path}:{line}" if line else str(path)

    def __str__(self) -> str:
        return f"{self._place}: {self.key}: {self.problem}" if self.key else f"{self._place}: {self.problem}"


def load_policy(path: Path, *, may_be_empty: bool = True) -> Policy:
    """Read a policy file and the vendor list that it names, within bounds of size and time. Raises ``PolicyError``.

    A file without settings is the built-in policy, or refused unless ``may_be_empty``.
    """
    text = _read(path)
    try:
        table = _table(text, may_be_empty=may_be_empty)
        policy = policy_from(table)
        if "version" not in table:
            policy = replace(policy, version=_fingerprint(text))
        return replace(policy, vendor_list=_vendor_list(path, policy.gdpr.vendor_list))
    except tomllib.TOMLDecodeError as problem:
        raise PolicyFileError(path, "", f"is not TOML: {problem}") from None
    except PolicyError as problem:
        line = line_of(text, problem.key) if problem.key else 0
        raise PolicyFileError(path, problem.key, problem.problem, line) from None


def _read(path: Path) -> str:
    try:
        return read_bounded(path, _LARGEST_POLICY).decode("utf-8")
    except OSError as problem:
        raise PolicyFileError(path, "", f"cannot be read: {problem.strerror}") from problem
    except UnicodeDecodeError:
        raise PolicyFileError(path, "", "is not UTF-8") from None


def _table(text: str, *, may_be_empty: bool) -> dict[str, Any]:
    table = parse_toml(text)
    if not (table or may_be_empty):
        raise PolicyError("", "is empty; to use the built-in policy, set a version")
    return table


def _fingerprint(text: str) -> str:
    """Return a version for a file without one, so that answers still name the policy."""
    return f"unnamed-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"


def _vendor_list(policy_path: Path, name: str) -> VendorList | None:
    if not name:
        return None
    try:
        return parse_vendor_list(read_bounded(policy_path.parent / name, _LARGEST_VENDOR_LIST))
    except OSError as problem:
        raise PolicyError("gdpr.vendor_list", f"{name} cannot be read: {problem.strerror}") from problem
    except Unreadable as problem:
        raise PolicyError("gdpr.vendor_list", f"{name} is not a vendor list: {problem}") from None
