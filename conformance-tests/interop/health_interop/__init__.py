"""What other programs make of the endpoints: the verdicts of pollers, and restarts behind proxies and without them."""
