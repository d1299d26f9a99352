"""The signals a request carries, one module a family: text in, a value out, or ``Unreadable``."""
