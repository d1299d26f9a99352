"""The exceptions for input that a decoder cannot read."""


class Unreadable(ValueError):
    """A signal is present and cannot be decoded.

    The message names the defect and never repeats the value.
    """


class GivenUp(Unreadable):
    """A signal is not decoded because that would take too long; a full decoder may read it."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"given up: {cause}")
