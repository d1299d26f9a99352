"""One try of a target: what the work returns, or the refusal that it may raise. Any other exception is a fault."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
Refusal = TypeVar("Refusal", bound=Exception)


def attempt(work: Callable[[], T], refusal: type[Refusal]) -> T | Refusal:
    """Return the result, or the refusal."""
    try:
        return work()
    except refusal as problem:
        return problem
