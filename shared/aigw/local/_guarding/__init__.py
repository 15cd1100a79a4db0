"""Guardrails and DLP: the words of a call, and the checks that read them."""
