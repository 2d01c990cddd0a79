"""Slow requests at the end of a process: when they end, and when the process does."""
