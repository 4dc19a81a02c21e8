"""What can go wrong, as a tree of exceptions whose message is a sentence for the user.

Every message says what was given, what is needed, and what to do next. The command line prints it without a traceback
and exits with code 2.

    ImpastoError
    ├── ImageError        an image that cannot be read, understood or written
    ├── SettingsError     a setting out of range, unknown, or unable to take effect
    ├── NetworkError      weights that are missing, damaged or of another network
    ├── LayerError        a layer that does not exist or that the image is too small for
    ├── CheckpointError   a checkpoint that is damaged or belongs to another run
    └── MissingExtraError a feature whose optional dependency is not installed
"""


class ImpastoError(Exception):
    """The base of all errors that impasto raises on purpose."""


class ImageError(ImpastoError):
    """An image that cannot be read, understood or written."""


class SettingsError(ImpastoError, ValueError):
    """A setting out of range, unknown, or unable to take effect."""


class NetworkError(ImpastoError):
    """Network weights that are missing, damaged or of another network."""


class LayerError(ImpastoError, ValueError):
    """A layer that does not exist in the network, or that the image is too small for."""


class CheckpointError(ImpastoError):
    """A checkpoint that is damaged or belongs to another run."""


class MissingExtraError(ImpastoError, ImportError):
    """A feature whose optional dependency is not installed."""
