"""Helpers that other packages import."""
