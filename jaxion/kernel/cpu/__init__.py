"""Machine code at work on the cores of a CPU, on NumPy arrays."""
