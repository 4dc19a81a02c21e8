"""Jobs: runs as data in a durable queue, computed by worker processes that may be killed at any moment.

Free of torch: only the processes that compute import it.
"""

from impasto.jobs.job import ENDED, KEPT, Job, JobEvent, Progress, Status, Usage
from impasto.jobs.jobs import Jobs
from impasto.jobs.worker import Worker, spawn_worker

__all__ = ["ENDED", "KEPT", "Job", "JobEvent", "Jobs", "Progress", "Status", "Usage", "Worker", "spawn_worker"]
