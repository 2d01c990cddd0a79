"""Restarts instances behind a proxy, one after the other, and counts the requests that fail."""
