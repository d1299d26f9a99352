"""OpenRTB bid requests: what is read of one, and what goes out to a network."""
