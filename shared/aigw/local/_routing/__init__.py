"""Which model answers: the three ways to write an id, the Auto Router, and dynamic routes."""
