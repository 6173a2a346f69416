"""Fits as files: configurations, and folders of results."""
