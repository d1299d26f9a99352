"""The policy: every choice that belongs to the operator."""
