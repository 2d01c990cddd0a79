"""What programs that poll conclude: `cli` is the command line, `run` one run, `report` its blocks of the page."""
