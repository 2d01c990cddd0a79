"""Outages of a database that ten instances share."""
