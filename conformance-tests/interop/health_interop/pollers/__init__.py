"""What programs conclude of the endpoints: `main` is the command line, `round` the run, `page` what it writes."""
