"""A decision judged again by another policy: what would be looser, what would be tighter."""
