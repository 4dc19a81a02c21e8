"""What can go wrong, as a tree of exceptions whose message is a sentence for the user.

Every message says what was given, what is needed, and what to do next. The command line prints it without a traceback
and exits with code 2.

    ImpastoError
    ├── ImageError        an image that cannot be read, understood or written
    ├── SoundError        a sound that cannot be read, understood or written
    ├── SignalError       a record of a signal, likewise
    ├── VolumeError       a volume that cannot be read, understood or written
    ├── VideoError        a video that cannot be read, understood or written
    ├── SettingsError     a setting out of range, unknown, or unable to take effect
    ├── NetworkError      weights that are missing, damaged or of another network
    ├── LayerError        a layer that does not exist or that the image is too small for
    ├── CheckpointError   a checkpoint that is damaged or belongs to another run
    ├── RankError         a run over several processes that has lost one
    ├── JobError          a job that does not exist or cannot do what is asked of it
    └── MissingExtraError a feature whose optional dependency is not installed
"""


class ImpastoError(Exception):
    """The base of all errors that impasto raises on purpose."""


class ImageError(ImpastoError):
    """An image that cannot be read, understood or written."""


class SoundError(ImpastoError):
    """A sound that cannot be read, understood or written."""


class SignalError(ImpastoError):
    """A record of a signal that cannot be read, understood or written."""


class VolumeError(ImpastoError):
    """A volume that cannot be read, understood or written."""


class VideoError(ImpastoError):
    """A video, or an optical flow, that cannot be read, understood or written."""


class SettingsError(ImpastoError, ValueError):
    """A setting out of range, unknown, or unable to take effect."""


class NetworkError(ImpastoError):
    """Network weights that are missing, damaged or of another network."""


class LayerError(ImpastoError, ValueError):
    """A layer that does not exist in the network, or that the image is too small for."""


class CheckpointError(ImpastoError):
    """A checkpoint that is damaged or belongs to another run."""


class JobError(ImpastoError):
    """A job that does not exist or cannot do what is asked of it, or a queue that cannot be reached."""


class RankError(ImpastoError):
    """A run over several processes that has lost one."""


class MissingExtraError(ImpastoError, ImportError):
    """A feature whose optional dependency is not installed."""
