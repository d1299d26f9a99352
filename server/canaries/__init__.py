"""Leak canaries in operation: their records, the calls that ask about them, and the guard of their ids."""
