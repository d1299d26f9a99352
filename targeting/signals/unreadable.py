"""The exception for input that a decoder cannot read."""


class Unreadable(ValueError):
    """A signal is present and cannot be decoded.

    The message names the defect and never repeats the value.
    """
