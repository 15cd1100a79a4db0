"""Providers' own paths: calls that go there as they came, and answers that come back unchanged."""
