"""The one way a decoder says that it cannot read its input."""


class Unreadable(ValueError):
    """A signal is present and cannot be decoded.

    The message says what is wrong with the form; it never repeats the value.
    """
