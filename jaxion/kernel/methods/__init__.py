"""The numerical methods as formulas alone: coefficients and control, for arrays and for nodes of a graph alike."""
