"""Jobs on a database of every kind, tiny pictures, and worker processes that end with the test."""

import io
import os
import secrets
import shlex
import shutil
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import ImpastoError
from impasto.jobs import Jobs, Status, Worker

LAYERS = {"content_layers": {"conv2_2": 1.0}, "style_layers": {"conv1_1": 1.0, "conv2_1": 1.0}}
QUICK = {"size": 32, "coarsest": 16, "evaluations": [8, 12], "precision": "fp32", "device": "cpu", **LAYERS}
LONG = {**QUICK, "evaluations": [5, 100_000]}
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if shutil.which("initdb") is None else [None]


def drawn(seed, side=32):
    """The bytes of a small PNG of its own."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / 6
    waves = np.stack([np.sin(x + seed), np.cos(y - seed), np.sin(x * y / 4 + seed)], axis=-1)
    stream = io.BytesIO()
    Image.fromarray((128 + 90 * waves + rng.normal(0, 9, waves.shape)).clip(0, 255).astype(np.uint8)).save(
        stream, "PNG"
    )
    return stream.getvalue()


def request(seed=0, **settings):
    """The arguments of a submission."""
    files = {"content": [(f"photo{seed}.png", drawn(seed))], "styles": [("painting.png", drawn(1000))]}
    return "stylize", files, {**QUICK, **settings}


@pytest.fixture(scope="session")
def ask():
    """A function from a seed and settings to the arguments of a submission."""
    return request


@pytest.fixture(scope="session")
def draw():
    """A function from a seed to the bytes of a picture."""
    return drawn


@pytest.fixture(scope="session")
def long_settings():
    """Settings of a job that does not end by itself."""
    return LONG


def _named():
    """Whether the system has a name for who runs this."""
    pwd = pytest.importorskip("pwd")
    try:
        return bool(pwd.getpwuid(os.geteuid()))
    except KeyError:
        return False


def _server(folder):
    """Start a private PostgreSQL in a folder, as somebody who is not root, and return how to stop it."""
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed (apt install postgresql); the same tests ran on SQLite")
    if not _named():
        pytest.skip("PostgreSQL serves nobody without a name, as this user is; the same tests ran on SQLite")
    place = f"{BINARIES[-1]}/" if BINARIES[-1] else ""
    person = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    if person:
        shutil.chown(folder, "postgres", "postgres")
    options = f"-c listen_addresses='' -c {shlex.quote(f'unix_socket_directories={folder}')} -c fsync=off"
    data, quiet = f"{folder}/data", {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    make = [f"{place}initdb", "-D", data, "-U", "impasto", "--auth=trust", "--no-sync"]
    subprocess.run(make, check=True, **person, **quiet)
    control = [f"{place}pg_ctl", "-D", data, "-w"]
    subprocess.run([*control, "-o", options, "-l", f"{folder}/log", "start"], check=True, **person, **quiet)
    return lambda: subprocess.run([*control, "-m", "immediate", "stop"], check=True, **person, **quiet)


@pytest.fixture(scope="session")
def cluster():
    """The folder of a private PostgreSQL server, where its socket is."""
    short = Path("/tmp")  # the name of a socket has 107 bytes at most
    folder = tempfile.mkdtemp(prefix="impasto-pg-", dir=short if os.access(short, os.W_OK) else None)
    stop = None
    try:
        stop = _server(folder)
        yield folder
    finally:
        if stop is not None:
            stop()
        shutil.rmtree(folder, ignore_errors=True)


def _database(kind, request):
    """The URL of an empty database, or of an empty schema in one; None is SQLite in the home."""
    if kind == "sqlite":
        return None
    psycopg = pytest.importorskip("psycopg")
    folder, name = request.getfixturevalue("cluster"), f"jobs{secrets.token_hex(6)}"
    with psycopg.connect(f"host={folder} user=impasto dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"postgresql://impasto@/postgres?host={folder}&options=-csearch_path%3D{name}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request):
    """The URL of an empty database of each kind."""
    return _database(request.param, request)


@pytest.fixture
def jobs(tmp_path, database):
    """No jobs yet."""
    opened = Jobs.open(tmp_path / "home", database)
    yield opened
    opened.close()


@contextmanager
def working(jobs, interval=0.0, device="cpu"):
    """A worker in a thread of this process, ended after."""
    stop, failure = threading.Event(), []

    def run():
        try:
            Worker(jobs, device, interval).run(stop)
        except ImpastoError as error:
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join()
    assert not failure


@pytest.fixture(scope="session")
def work():
    """A context in which a worker computes jobs."""
    return working


@pytest.fixture(scope="session")
def hired(tmp_path_factory):
    """Jobs with a worker that computes them as long as the tests run; several tests share them."""
    os.environ["OMP_NUM_THREADS"] = "1"
    opened = Jobs.open(tmp_path_factory.mktemp("hired"))
    with working(opened):
        yield opened
    opened.close()


def until(true, seconds=60.0):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture(scope="session")
def wait_until():
    """A function that waits until a function returns something true."""
    return until


@pytest.fixture
def begun(hired, wait_until):
    """A function that submits a job that does not end by itself, and returns its id when it is at work."""
    made = []

    def begin(seed=0, **settings):
        task, files, values = request(seed)
        job = hired.submit(task, files, {**values, **LONG, **settings})
        made.append(job.id)
        wait_until(lambda: hired.get(job.id).progress is not None and hired.get(job.id).progress.evaluation > 5)
        return job.id

    yield begin
    for identifier in made:
        if not hired.get(identifier).status.ended:
            hired.cancel(identifier)
    assert Status.RUNNING not in {job.status for job in hired.list() if job.id in made}
