"""How a search moves, and how it goes on after it was ended."""
