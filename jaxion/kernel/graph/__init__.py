"""Scalar programs as graphs of operations, and what is derived from them: derivatives, procedures, eliminations."""
