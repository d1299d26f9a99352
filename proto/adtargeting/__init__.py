"""The public contract of the service; see ``adtargeting.v1``."""
