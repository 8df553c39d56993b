"""One module per row of the comparison; each has `measure(bench) -> Row`."""
