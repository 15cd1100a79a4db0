"""Feedback on its way to a log: sent at once, handed to a queue, or made of a verdict."""
