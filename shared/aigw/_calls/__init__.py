"""Every operation, described: the request to send, and how to read the answer. Pure; the drivers perform it."""
