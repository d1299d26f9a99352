"""The IAB Global Privacy Platform (GPP) string."""
