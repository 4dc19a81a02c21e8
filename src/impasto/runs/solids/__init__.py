"""Runs in three dimensions: solid textures, and volumes in a style."""
