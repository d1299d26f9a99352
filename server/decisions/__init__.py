"""Lane 1: decisions, from the call to the answer."""
