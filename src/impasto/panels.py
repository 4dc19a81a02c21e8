"""The settings in groups, as the help of commands and the page of the studio show them."""

PANELS = {
    "Picture": ("size", "preview_of", "style_scale", "style_size", "style_scales", "init", "noise", "seed"),
    "Balance": (
        "strength",
        "content_weight",
        "style_weight",
        "content_loss",
        "content_layers",
        "style_layers",
        "layers_per_style",
        "style_losses",
        "blend",
        "smoothness",
        "sharpness",
        "photorealism",
    ),
    "Color and places": ("color", "color_strength", "mask_strengths", "guidance"),
    "Network": ("network", "weights", "pooling", "padding"),
    "Descent": ("evaluations", "settle", "coarsest", "ratio", "optimizer", "rate", "history"),
    "Machine": ("precision", "device"),
}
"""Which panel each setting stands in."""
