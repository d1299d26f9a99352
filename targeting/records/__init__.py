"""The stored records and their binary forms."""
