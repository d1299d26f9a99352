"""The secret key and the keys of the ``NAP`` cookie."""
