"""The embedded store: a server process of our own."""
