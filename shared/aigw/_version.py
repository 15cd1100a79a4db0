"""The one place that knows the version; hatchling reads it when it builds."""

__version__ = "0.1.0"
