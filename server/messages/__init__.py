"""Protobuf messages in and out."""
