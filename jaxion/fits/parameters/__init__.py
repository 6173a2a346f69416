"""What is free in a fit, how it is transformed, and where a search begins."""
