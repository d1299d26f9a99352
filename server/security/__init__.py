"""Who may call: callers, their roles and credentials, and TLS."""
