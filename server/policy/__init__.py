"""The policy file and the policy in force."""
