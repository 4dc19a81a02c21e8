"""Frozen networks that turn images into features."""

from impasto.encoders.encoder import Encoder, Parameters
from impasto.encoders.random_filters import bank, octave_parameters, octaves, random_parameters
from impasto.encoders.seams import Seams
from impasto.encoders.stack import IMAGE, VGG16, VGG19, Conv, Pool, Stack, stack_from_words, vgg
from impasto.encoders.weights import NETWORKS, load

__all__ = [
    "IMAGE",
    "NETWORKS",
    "VGG16",
    "VGG19",
    "Conv",
    "Encoder",
    "Parameters",
    "Pool",
    "Seams",
    "Stack",
    "bank",
    "load",
    "octave_parameters",
    "octaves",
    "random_parameters",
    "stack_from_words",
    "vgg",
]
