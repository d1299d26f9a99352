"""OpenRTB bid requests: what is read from one, and what is sent to a network."""
