"""Files read within bounds, and read again when they change."""
