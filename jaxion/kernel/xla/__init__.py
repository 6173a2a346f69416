"""The portable lowering: arrays with the cells last, in `jax.numpy`."""
