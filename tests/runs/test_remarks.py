"""What is told of a finished run besides its picture."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from impasto import images
from impasto.errors import SettingsError


def test_enlarging_is_noted(photo, painting, paint):
    """A picture that has to be enlarged by more than a third is mentioned, with its name."""
    assert paint(photo, painting).notes == ()
    (note,) = paint(photo[:20, :27], painting).notes
    assert note == (
        "array has 27 pixels on its long side and was enlarged to 48; a larger original would give more detail."
    )
    (note,) = paint(photo, painting, style_scale=2).notes
    assert "has 64 pixels on its long side and was enlarged to 96" in note


def test_settling_is_noted(photo, painting, paint):
    """Levels left early are named with what they spent, but not the one that somebody stopped."""
    settings = {"evaluations": (40, 30), "coarsest": 24, "settle": 255}
    result = paint(photo, painting, **settings)
    ends = {record.level: record.evaluation for record in result.history}
    assert set(ends) == {0, 1}
    assert all(20 < end < 30 for end in ends.values())
    assert result.complete
    assert result.notes == (
        f"At 24x18 the picture had settled after {ends[0]} of 40 evaluations.",
        f"At 48x36 the picture had settled after {ends[1]} of 30 evaluations.",
    )
    stopped = paint(photo, painting, **settings, on_event=lambda event: event.level == 1)
    assert not stopped.complete
    assert stopped.notes == result.notes[:1]


def test_what_was_not_used_of_a_file_is_noted(photo, painting, paint):
    """Once for each picture, whatever part it plays."""
    content = images.read(photo)
    content = replace(content, source=replace(content.source, notes=("The EXIF of a.jpg is damaged.",)))
    assert paint(content, painting).notes == ("The EXIF of a.jpg is damaged.",)
    assert paint(content, content).notes[:1] == ("The EXIF of a.jpg is damaged.",)
    assert sum("EXIF" in note for note in paint(content, content).notes) == 1


def test_a_transparent_start_is_noted(photo, painting, paint, tmp_path):
    """What fills it, and where the picture is transparent."""
    opacity = np.full(photo.shape[:2], 255, np.uint8)
    Image.fromarray(np.dstack([photo, opacity])).save(tmp_path / "whole.png")
    opacity[:10] = 0
    Image.fromarray(np.dstack([photo, opacity])).save(tmp_path / "start.png")
    assert paint(photo, painting, init=str(tmp_path / "whole.png")).notes == ()
    (note,) = paint(photo, painting, init=str(tmp_path / "start.png")).notes
    assert note.startswith("start.png has transparent parts, and the run began with the visible colors around them")


def test_weights_that_cannot_be_computed_with_are_refused(photo, painting, paint):
    """Before the descent, which could not take a step and would call the photo settled."""
    with pytest.raises(SettingsError, match="more than can be computed with; give smaller weights"):
        paint(photo, painting, content_weight=1e30, style_weight=1e30)


def test_weights_too_small_to_move_anything_are_told(photo, painting, paint):
    """Where the squares of the gradient are nothing to floating-point numbers."""
    result = paint(photo, painting, content_weight=1e-38, style_weight=1e-38)
    assert any("The picture is what it started from" in note for note in result.notes)


def test_a_picture_that_is_meant_to_stay_is_not_remarked_upon(photo, painting, paint):
    """Without style nothing is to be lowered."""
    assert not [note for note in paint(photo, painting, strength=0).notes if "started from" in note]
