"""From functions in plain JAX to graphs."""
