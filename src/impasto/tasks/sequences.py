"""What tasks on sounds and signals have in common: the settings of pictures that have a say along one axis."""

TEXTURE_SETTINGS = frozenset({"style_losses", "blend", "evaluations", "seed", "optimizer", "rate", "history", "device"})
"""Of a texture, which has no content."""

SETTINGS = TEXTURE_SETTINGS | {"strength", "content_weight", "style_weight", "init", "noise"}
"""Of a sequence in a style."""

USUAL = {"precision": "fp32", "content_loss": "squared", "pooling": "avg"}
"""How sequences are seen unless told otherwise."""
