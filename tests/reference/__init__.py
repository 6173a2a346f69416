"""Published and independently computed numbers, with their sources and tolerances."""
