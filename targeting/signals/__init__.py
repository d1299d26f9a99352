"""The signals of a request, one module per family: text in, a value or ``Unreadable`` out."""
