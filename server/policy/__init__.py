"""The policy file and the current policy."""
