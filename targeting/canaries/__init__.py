"""Leak canaries: made-up people of whom it is known what every answer must be. ``server.canaries`` asks about them."""
