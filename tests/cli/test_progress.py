"""Progress in words."""

import io
import sys
from types import SimpleNamespace

import pytest

from impasto.cli.terminal import progress
from impasto.cli.terminal.progress import Display, Lines, Reporter, counter, duration, reporter, size

LEVELS = tuple(SimpleNamespace(shape=shape, evaluations=9) for shape in ((24, 32), (48, 64)))


def event(level, evaluation, unit=0, units=1):
    """An event of a run with two levels, perhaps one of several runs."""
    kinds = {"content": 0.25, "style": 1234567.0}
    where = {"level": level, "levels": LEVELS, "evaluation": evaluation, "unit": unit, "units": units}
    return SimpleNamespace(**where, name=f"cell {unit}", value=1234567.25, by_kind=kinds, remaining=61.0)


def test_lines_come_now_and_then():
    """One line at every new level, and others two seconds apart at least."""
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, clock=lambda: now[0])
    for at, level, evaluation in [(0, 0, 1), (1.9, 0, 2), (2.1, 0, 3), (2.2, 1, 1), (3, 1, 2), (4.5, 1, 3)]:
        now[0] = at
        lines(event(level, evaluation))
    written = stream.getvalue().splitlines()
    assert [line.split("  ")[1] for line in written] == [f"evaluation {n}/9" for n in (1, 3, 1, 3)]
    assert written[-1] == (
        "level 2/2 64x48  evaluation 3/9  total 1.235e+06  content 0.25  style 1.235e+06  1 min 1 s left"
    )


def test_sentences_cannot_move_the_cursor():
    """A sentence with a control character is one harmless line."""
    stream = io.StringIO()
    Lines(stream).say("a\x1b[2Jb\nc")
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (187, "3 min 7 s"), (7380, "2 h 3 min")]
)
def test_duration(seconds, text):
    """Seconds are said as people say them."""
    assert duration(seconds) == text


def test_size():
    """Width comes first, and the number of dimensions is free."""
    assert (size((48, 64)), size((7,)), size((2, 3, 4))) == ("64x48", "7", "4x3x2")


@pytest.mark.parametrize(
    ("terminal", "term", "quiet", "kind"),
    [
        (True, "xterm", False, Display),
        (True, "dumb", False, Lines),
        (False, "xterm", False, Lines),
        (True, "xterm", True, Reporter),
    ],
)
def test_the_reporter_fits_stderr(monkeypatch, terminal, term, quiet, kind):
    """Bars are for terminals that can redraw; FORCE_COLOR does not put control characters into a file."""
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    assert type(reporter(quiet=quiet)) is kind


def test_a_new_level_has_a_row_of_its_own():
    """Rows of finished levels stay; the first event ends the preparing."""
    display = Display()
    assert [task.description for task in display.progress.tasks] == ["preparing"]
    for at in [(0, 1), (0, 9), (1, 2)]:
        display(event(*at))
    assert [(task.description, task.completed) for task in display.progress.tasks] == [
        ("1/2 32x24", 9),
        ("2/2 64x48", 2),
    ]
    assert display.progress.tasks[0].fields["left"] == ""
    assert display.progress.tasks[1].fields["left"] == "1 min 1 s left"
    assert progress.losses(event(0, 1)) in display.progress.tasks[1].fields["losses"]


def work(share):
    """How far an evaluation on the second level is."""
    return SimpleNamespace(level=1, levels=LEVELS, share=share, seconds=80.0, remaining=187.0)


def test_each_of_several_runs_is_named_once():
    """When it begins; its bars take the place of those of the one before."""
    stream = io.StringIO()
    lines = Lines(stream, clock=lambda: 0.0)
    for unit in (0, 0, 1):
        lines(event(0, 1, unit, 2))
    assert [line for line in stream.getvalue().splitlines() if "level" not in line] == ["1/2  cell 0", "2/2  cell 1"]
    with Display() as display:
        for unit in (0, 1):
            for level in (0, 1):
                display(event(level, 1, unit, 2))
        assert [task.description for task in display.progress.tasks] == ["1/2 32x24", "2/2 64x48"]


def test_long_evaluations_are_not_silent():
    """A line every ten seconds, unless there was another one."""
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, clock=lambda: now[0])
    for at, share in [(9, 0.1), (10, 0.25), (12, 0.3), (19.9, 0.4)]:
        now[0] = at
        lines.work(work(share))
    lines(event(1, 2))
    now[0] = 25
    lines.work(work(0.5))
    now[0] = 30
    lines.work(work(0.75))
    written = stream.getvalue().splitlines()
    assert written[0] == "level 2/2 64x48  25% of an evaluation of 1 min 20 s  3 min 7 s left"
    assert [line.split("  ")[1][:3] for line in written] == ["25%", "eva", "75%"]


def test_the_display_says_what_is_left_of_long_evaluations():
    """In the row that waits, and then in the level's."""
    display = Display()
    display.work(work(0.25))
    assert display.progress.tasks[0].fields["left"] == "25% of one, 3 min 7 s left"
    display(event(1, 1))
    display.work(work(0.5))
    assert display.progress.tasks[0].fields["left"] == "50% of one, 3 min 7 s left"


def test_counting_says_the_first_and_the_last():
    """And others two seconds apart at least."""
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, clock=lambda: now[0])
    for at, done in [(0, 1), (1, 2), (2.1, 3), (2.2, 4)]:
        now[0] = at
        lines.count("pictures", done, 4)
    assert stream.getvalue().splitlines() == ["pictures 1/4", "pictures 3/4", "pictures 4/4"]


def test_counting_on_a_terminal_has_one_row():
    """Which ends with the last."""
    display = Display()
    for done in (1, 2):
        display.count("pictures", done, 2)
        [row] = display.progress.tasks
        assert (row.description, row.completed, row.total) == ("pictures", done, 2)
    assert display.progress.finished
    assert not display.progress.live.is_started


def test_nothing_is_counted_quietly(capsys):
    """There is nothing to call; else there is, and it tells."""
    assert counter("pictures", quiet=True) is None
    counter("pictures", quiet=False)(1, 1)
    assert capsys.readouterr().err == "pictures 1/1\n"
