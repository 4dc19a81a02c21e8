"""``impasto worker``."""

import threading
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from impasto.errors import SettingsError

Home = Annotated[
    str | None, Parameter(metavar="DIR", help="The folder of the jobs; $IMPASTO_HOME or ~/.impasto unless given.")
]
Database = Annotated[
    str | None,
    Parameter(
        metavar="URL",
        help="postgresql://USER:PASSWORD@HOST/NAME; $IMPASTO_DATABASE, or a SQLite file in the folder, unless given.",
    ),
]


def worker(
    *,
    device: Annotated[str, Parameter(help="auto, cpu, cuda, cuda:1, mps, ...; one worker computes on each.")] = "auto",
    home: Home = None,
    database: Database = None,
    checkpoint_every: Annotated[
        float | None,
        Parameter(metavar="SECONDS", validator=Number(gte=0), help="Seconds between two checkpoints; 5 unless given."),
    ] = None,
    quiet: Annotated[
        bool, Parameter(name=("--quiet", "-q"), show_default=False, help="Say nothing but what goes wrong.")
    ] = False,
    follow: Annotated[int | None, Parameter(show=False)] = None,
) -> None:
    """Compute the jobs of the queue, one after another, until Ctrl-C or SIGTERM.

    A line says when it waits, and when a job begins and ends. When it ends, the job in work goes back into the queue with its checkpoint. Jobs of workers that were killed are taken up.
    """
    if threading.current_thread() is not threading.main_thread():
        raise SettingsError(
            "A worker ends at Ctrl-C, which only a program's main thread hears; call it there, or run impasto.jobs.Worker "
            "with an event of your own."
        )
    from impasto.jobs import Jobs, Worker
    from impasto.jobs.worker import run_until_signaled

    tell = not quiet and follow is None
    run_until_signaled(Worker(Jobs.open(home, database), device, checkpoint_every, tell=tell), follow)
