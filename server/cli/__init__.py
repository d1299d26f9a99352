"""The commands of ``adtargeting``, one module each."""
