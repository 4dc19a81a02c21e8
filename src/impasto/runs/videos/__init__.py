"""Runs over videos: frame after frame."""
