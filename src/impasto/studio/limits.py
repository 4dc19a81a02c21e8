"""How much one user may ask of the server."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds on requests, and on what a user may hold.

    Args:
        upload_bytes: the largest picture file.
        upload_pixels: the most pixels of an uploaded picture, read from its header before any is decoded.
        uploads: pictures that one user may be uploading at the same time.
        body_bytes: the largest other request body.
        stall_seconds: how long a client may send nothing in the middle of a request.
        body_seconds: how long a request body may take in all.
        queue: jobs of one user that are waiting, running or paused.
        disk_bytes: what one user's pictures and jobs may take on disk.
        side: the long side of a result, in pixels.
        evaluations: evaluations per level.
        work: pixels times evaluations of all levels of a job.
        decoding_seconds: how long the decoding of one picture may take.
        watchers: event streams that one user may hold open.
    """

    upload_bytes: int = 64 << 20
    upload_pixels: int = 64_000_000
    uploads: int = 64
    body_bytes: int = 256 << 10
    stall_seconds: float = 10
    body_seconds: float = 120
    queue: int = 100
    disk_bytes: int = 20 << 30
    side: int = 8192
    evaluations: int = 20_000
    work: int = 100_000_000_000
    watchers: int = 200
    decoding_seconds: float = 30
