"""Machine code as JAX primitives."""
