"""What was measured, and how a model computes the same."""
