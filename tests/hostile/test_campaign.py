"""Odd files and command lines of every kind: sentences or results, and nothing else is touched."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("campaign.py")
SHARE = {"pictures": 700, "volumes": 180, "sounds": 150, "signals": 150, "documents": 80, "commands": 90}
WHOLE = {"pictures": 10_000, "volumes": 2000, "sounds": 2000, "signals": 2000, "documents": 1000, "commands": 2000}


def campaign(faults, seed, amounts, *options):
    """Run the campaign in a process of its own; its output, which names every case at fault."""
    words = [f"--{medium}={count}" for medium, count in amounts.items()]
    command = [sys.executable, str(SCRIPT), "--seed", str(seed), "--faults", str(faults), *words, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-4000:]
    return done.stdout


def test_a_share_of_the_campaign_finds_nothing(tmp_path):
    """Every medium has its turn, in half a minute at most; on a slow machine the share is smaller."""
    said = campaign(tmp_path, 1, SHARE, "--seconds", "25")
    for medium in SHARE:
        tried = next(line for line in said.splitlines() if line.startswith(f"{medium}: "))
        assert not tried.startswith(f"{medium}: 0 tried")
    assert " refused" in said
    assert " written" in said


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_the_whole_campaign_finds_nothing(tmp_path):
    """Ten thousand pictures, and two thousand of everything else."""
    said = campaign(tmp_path, 7, WHOLE)
    assert f"{sum(WHOLE.values())} tried, 0 failed" in said


def test_a_case_that_ends_its_process_is_known(tmp_path):
    """One that hangs and one that crashes are named, and the campaign goes on with the next."""
    code = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(SCRIPT.parent)!r})
import campaign
campaign.PATIENCE, campaign.WALL = 0.5, 2.0
worker = campaign.Worker(Path({str(tmp_path / "work")!r}), ["harms"])
for index in range(4):
    answer = worker.ask("harms", 1, index)
    print(answer["outcome"], answer["fault"].split(" ")[0])
worker.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["read ", "fault hangs:", "fault the", "read "], done
