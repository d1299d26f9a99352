"""The IAB Europe Transparency and Consent Framework (TCF) string."""
