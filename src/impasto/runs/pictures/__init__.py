"""Runs whose result is a picture: stylized photos, textures, reconstructions, and neural-style."""
