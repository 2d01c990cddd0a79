"""Rolling restarts: `cli` is the command line, `run` one run, `load` the load tool, `report` its blocks of the page."""
