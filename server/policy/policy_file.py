"""Reading of the policy file: accepted as a whole, or refused in one line that names the place.

The only module that reads it. ``targeting.policy.policy`` defines what it may contain.
"""

import hashlib
import tomllib
from dataclasses import replace
from pathlib import Path

from server.policy.policy_lines import line_of
from server.policy.toml import parse_toml
from targeting.policy.policy import Policy, PolicyError, policy_from
from targeting.signals.tcf.vendor_list import VendorList, parse_vendor_list
from targeting.signals.unreadable import Unreadable

__all__ = ["PolicyFileError", "load_policy"]


class PolicyFileError(PolicyError):
    """An invalid policy file, in one line: file, line number if known, key, and remedy."""

    def __init__(self, path: Path, key: str, problem: str, line: int = 0) -> None:
        super().__init__(key, problem)
        self._place = f"{path}:{line}" if line else str(path)

    def __str__(self) -> str:
        return f"{self._place}: {self.key}: {self.problem}" if self.key else f"{self._place}: {self.problem}"


def load_policy(path: Path) -> Policy:
    """Read a policy file and the vendor list that it names. Raises ``PolicyError``."""
    text = _read(path)
    try:
        table = parse_toml(text)
        policy = policy_from(table)
        if "version" not in table:
            policy = replace(policy, version=_fingerprint(text))
        return replace(policy, vendor_list=_vendor_list(path, policy.gdpr.vendor_list))
    except tomllib.TOMLDecodeError as problem:
        raise PolicyFileError(path, "", f"is not TOML: {problem}") from None
    except PolicyError as problem:
        raise PolicyFileError(path, problem.key, problem.problem, line_of(text, problem.key)) from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        raise PolicyFileError(path, "", f"cannot be read: {problem.strerror}") from problem
    except UnicodeDecodeError:
        raise PolicyFileError(path, "", "is not UTF-8") from None


def _fingerprint(text: str) -> str:
    """Return a version for a file without one, so that answers still name the policy."""
    return f"unnamed-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"


def _vendor_list(policy_path: Path, name: str) -> VendorList | None:
    if not name:
        return None
    try:
        return parse_vendor_list((policy_path.parent / name).read_bytes())
    except OSError as problem:
        raise PolicyError("gdpr.vendor_list", f"{name} cannot be read: {problem.strerror}") from problem
    except Unreadable as problem:
        raise PolicyError("gdpr.vendor_list", f"{name} is not a vendor list: {problem}") from None
