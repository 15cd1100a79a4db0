"""The log: what a line of it is, where it is stored, how it is asked for, and how much of it is kept."""
