"""Frozen networks that turn images into features."""

from impasto.encoders.encoder import Encoder, Parameters
from impasto.encoders.stack import IMAGE, VGG16, VGG19, Conv, Pool, Stack, vgg
from impasto.encoders.weights import NETWORKS, Network, load

__all__ = [
    "IMAGE",
    "NETWORKS",
    "VGG16",
    "VGG19",
    "Conv",
    "Encoder",
    "Network",
    "Parameters",
    "Pool",
    "Stack",
    "load",
    "vgg",
]
