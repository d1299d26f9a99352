"""The RPCs that are not decisions: one function each, bytes in, bytes out or a typed error."""
