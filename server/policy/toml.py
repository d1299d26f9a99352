"""Parsing of TOML with a single error type."""

import tomllib
from typing import Any


def parse_toml(text: str) -> dict[str, Any]:
    """Parse a text. Raises ``tomllib.TOMLDecodeError`` for every fault, also where ``tomllib`` raises another error."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise tomllib.TOMLDecodeError("nested too deeply") from None
    except ValueError:
        raise tomllib.TOMLDecodeError("a number has too many digits") from None
