"""The store: profiles and preferences in Redis, behind two narrow ports."""
