"""Runs along one axis, time: sounds and signals."""
