"""What a strength means: how far the features of a picture may be from the photo's."""

HELD = ("conv2_2", "conv4_4")
"""The layers whose features hold the content unless others are named: one that sees edges, one that sees parts of things."""

# D at strength 0.5, and how it grows. Runs of eight pairs at 256 pixels with larger limits had an LPIPS above the strength, with
# a deviation of 0.07 between pairs, whose colors no limit here holds; so these were made smaller, and not measured again.
_CURVES: dict[str, tuple[float, float]] = {"conv2_2": (0.36, 0.70), "conv4_4": (0.50, 0.89)}
_OTHERS = (0.43, 0.80)  # of layers that were not looked at: between the two


def limit(layer: str, strength: float) -> float:
    """The mean angular distance D of :class:`impasto.losses.HeldContentLoss` that a strength between 0 and 1 allows."""
    at_half, exponent = _CURVES.get(layer, _OTHERS)
    perceived = 1.25 * strength - 0.5 * strength**2
    return float(at_half * (perceived / 0.5) ** exponent)
