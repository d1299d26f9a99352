"""The decision core: what an ad request may use, as pure functions.

No threads, clock, randomness, environment, logging, store or RPC library. ``now`` is an argument.
"""
