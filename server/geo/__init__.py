"""The country and subdivision of an IP address."""
