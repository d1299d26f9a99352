"""One service with pages for the tests of this folder; each test has people of its own."""

from tests.server.web.site_fixtures import account_id, site

__all__ = ["account_id", "site"]
