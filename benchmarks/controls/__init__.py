"""The controls: bare servers that do nothing but answer, beside which the service is measured."""
