"""The feature vector and the taxonomy of interests."""
