"""The service under load: servers in processes of their own, their people, and the calls of ``h2load``."""
