"""Fits of distributions of parameters over cells."""
