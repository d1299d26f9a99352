"""The policy: every choice that is the operator's."""
