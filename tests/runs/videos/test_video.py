"""Videos: frames that follow one another, runs that go on, and what all frames share."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import impasto
from impasto import images, samples, videos
from impasto.errors import SettingsError
from impasto.losses.gram import GramLoss
from impasto.runs.videos.motion import Flow, Led, Seen, flows, keyframes, led
from impasto.runs.videos.video import prepared
from impasto.tasks.video import VIDEO
from impasto.videos.clip import Clip
from impasto.videos.optical_flow import optical_flow, reliability, warped

SETTINGS = {
    "size": 64,
    "coarsest": 32,
    "evaluations": (4, 3),
    "precision": "fp32",
    "device": "cpu",
    "content_layers": {"conv3_1": 1.0},
    "style_layers": {"conv1_1": 1.0, "conv2_1": 1.0, "conv3_1": 1.0},
}
PAINTING = samples.painting("waves") if "waves" in samples.paintings() else samples.painting(samples.paintings()[0])


class Given(Clip):
    """A clip of tensors."""

    def decoded(self, first=0):
        """They are there already."""
        yield from PIXELS[self.name][first:]


PIXELS = {}


def clip_of(name, pixels, shots=(0,)):
    """A clip of 25 frames a second."""
    from fractions import Fraction

    PIXELS[name] = pixels
    return Given(
        path=Path(name),
        name=name,
        sha256=name,
        shape=tuple(pixels[0].shape[2:]),
        times=tuple(Fraction(index, 25) for index in range(len(pixels))),
        end=Fraction(len(pixels), 25),
        shots=shots,
    )


@pytest.fixture(scope="module")
def pan():
    """A photo that moves by two columns a frame."""
    photo = images.read(samples.photo(samples.photos()[0])).pixels[..., :160, :200]
    small = torch.nn.functional.interpolate(photo, (48, 80), mode="bilinear", antialias=True)
    return [(small[..., 2 * time : 2 * time + 64] * 255).round() / 255 for time in range(5)]


@pytest.fixture(scope="module")
def whole(pan, tmp_path_factory):
    """The pan, painted in one go."""
    folder = tmp_path_factory.mktemp("whole") / "frames"
    return impasto.stylize_video(clip_of("pan", pan), PAINTING, frames=folder, **SETTINGS), folder


def files(folder):
    """The bytes of all frames."""
    return [path.read_bytes() for path in sorted(folder.glob("*.png"))]


def test_all_frames_are_painted(whole, pan):
    """At their size, and the result says so."""
    result, folder = whole
    assert result.complete
    assert len(files(folder)) == result.made.count == 5
    assert result.made.shape == (48, 64)
    assert result.measures == {"frames": 5.0, "shots": 1.0}
    assert result.recipe["task"] == "video"
    assert result.recipe["inputs"]["content"] == {"name": "pan", "sha256": "pan"}
    assert [record.evaluation for record in result.history][1:] == [7] * 4
    assert result.array.shape == (5, 48, 64, 3)


@pytest.mark.parametrize("after", [1, 3, 9, 15, 23, 33])
def test_a_stopped_run_goes_on_to_the_same_bytes(whole, pan, tmp_path, after):
    """Stopped after any number of steps; the frames that were finished are a video until then."""
    steps = []
    folder = tmp_path / "frames"

    def stop(event):
        steps.append(event.unit)
        return len(steps) == after

    part = {"clip": clip_of("pan", pan), "styles": PAINTING, "frames": folder, "on_event": stop, **SETTINGS}
    if after < 7:  # evaluations of the first frame
        with pytest.raises(SettingsError, match="before its first frame"):
            impasto.stylize_video(**part)
    else:
        found = impasto.stylize_video(**part)
        assert not found.complete
        assert found.made.count == len(files(folder)) == steps[-1]
    result = impasto.stylize_video(clip_of("pan", pan), PAINTING, frames=folder, **SETTINGS)
    assert result.complete
    assert files(folder) == files(whole[1])


def change(frames, pixels):
    """The root mean square change along the flow of the pixels, where it can be trusted."""
    total = count = 0.0
    for index in range(1, len(pixels)):
        there = optical_flow(pixels[index], pixels[index - 1])
        known = reliability(there, optical_flow(pixels[index - 1], pixels[index]))
        total += float(((frames[index] - warped(frames[index - 1], there)).square() * known).sum())
        count += 3 * float(known.sum())
    return (total / count) ** 0.5


def painted(result):
    """Frames as tensors."""
    return [torch.from_numpy(x.copy()).permute(2, 0, 1)[None].float() / 255 for x in result.made.frames()]


def test_a_frame_keeps_to_the_one_before(pan):
    """Painted one by one, the same frames change at least three times as much along the flow; without the loss, more, too."""
    strong = {**SETTINGS, "evaluations": (20, 20), "strength": 0.8}
    alone = [
        impasto.stylize((frame[0].permute(1, 2, 0) * 255).round().byte().numpy(), PAINTING, **strong).tensor
        for frame in pan[:3]
    ]
    held, free = (
        painted(impasto.stylize_video(clip_of("pan", pan[:3]), PAINTING, temporal_weight=weight, **strong))
        for weight in (100, 0)
    )
    assert change(held, pan[:3]) < change(alone, pan[:3]) / 3
    assert change(held, pan[:3]) < change(free, pan[:3])


def test_what_is_protected_stays_the_clip(pan):
    """In every frame."""
    mask = torch.zeros(48, 64)
    mask[:, :20] = 1
    result = impasto.stylize_video(clip_of("pan", pan), PAINTING, protect=mask.numpy(), **SETTINGS)
    for frame, pixels in zip(painted(result), pan, strict=True):
        assert (frame - pixels)[..., :20].abs().max() < 1 / 255
        assert (frame - pixels)[..., 20:].abs().max() > 0.05


def test_a_gray_clip_stays_gray_with_its_own_colors(pan):
    """With the photo's chroma in every frame."""
    gray = [frame.mean(1, keepdim=True).mul(255).round().div(255).expand(-1, 3, -1, -1) for frame in pan[:2]]
    result = impasto.stylize_video(clip_of("gray", gray), PAINTING, color="luminance", **SETTINGS)
    for frame in painted(result):
        assert (frame - frame.mean(1, keepdim=True)).abs().max() <= 1 / 255 + 1e-6


def test_a_cut_begins_anew(pan):
    """What is before it does not reach across: the second shot is painted as if it were alone."""
    other = [1 - frame for frame in pan[:2]]
    both = impasto.stylize_video(clip_of("both", [*pan[:2], *other], (0, 2)), PAINTING, **SETTINGS)
    alone = impasto.stylize_video(clip_of("alone", other), PAINTING, **SETTINGS)
    assert all(torch.equal(a, b) for a, b in zip(painted(both)[2:], painted(alone), strict=True))


def test_flows_go_back_as_far_as_something_is_missing(scene_frames):
    """Nothing is missing in a clip that stands still; where something moves, frames further back are asked, too."""
    still = [scene_frames[0]] * 5
    assert [flow.back for flow in flows(still[4], still[:4])] == [1]
    assert [flow.back for flow in flows(scene_frames[4], scene_frames[:4])] == [1, 2, 4]
    assert [flow.back for flow in flows(scene_frames[2], scene_frames[:2])] == [1, 2]
    assert not list(flows(scene_frames[0], ()))


@pytest.fixture(scope="module")
def scene_frames():
    """A bright square that moves over a photo."""
    photo = images.read(samples.photo(samples.photos()[0])).pixels[..., :96, :128]
    frames = []
    for time in range(5):
        frame = photo.clone()
        frame[:, :, 30:60, 10 + 8 * time : 40 + 8 * time] = photo.flip(3)[:, :, 30:60, 10:40]
        frames.append(frame)
    return frames


def test_the_nearest_frame_that_shows_a_place_counts():
    """Flows without motion: the first known on the left half, the second on three quarters, the third nowhere."""
    columns = torch.arange(16).view(1, 1, 1, 16).expand(1, 1, 16, 16)
    still = torch.zeros(2, 16, 16)
    masks = [(columns < 8).float(), (columns < 12).float(), torch.zeros(1, 1, 16, 16)]
    seen = [
        Seen(torch.zeros(1, 3, 16, 16), torch.full((1, 3, 16, 16), 0.1 * k), torch.full((1, 1, 16, 16), 1.0 * k))
        for k in (4, 3, 2, 1)
    ]
    found = led([Flow(back, still, mask) for back, mask in zip((1, 2, 4), masks, strict=True)], seen)
    assert torch.equal(found.known, masks[1])
    assert torch.allclose(found.image[..., :8], torch.tensor(0.1), atol=1e-6)
    assert torch.allclose(found.image[..., 8:12], torch.tensor(0.2), atol=1e-6)
    assert torch.allclose(found.age[..., :8], torch.tensor(1.0), atol=1e-6)
    assert torch.allclose(found.age[..., 8:12], torch.tensor(2.0), atol=1e-6)
    assert found.holes == pytest.approx(0.25)


def test_what_is_new_is_held_less():
    """Not at all at first, and by 0.63 of the weight after three frames; never where nothing is known."""
    known = torch.tensor([1.0, 1.0, 1.0, 0.0]).view(1, 1, 1, 4)
    age = torch.tensor([0.0, 3.0, 1e6, 1e6]).view(1, 1, 1, 4)
    even = torch.tensor([1.0, 1.0, 0.5, 1.0]).view(1, 1, 1, 4)
    weights = Led(torch.zeros(1, 3, 1, 4), known, even, age).weights.flatten()
    assert weights.tolist() == pytest.approx([0, 1 - 2.718281828**-1, 0.5, 0], abs=1e-6)


def test_statistics_of_paintings_are_computed_once(pan, monkeypatch):
    """At three layers and two sizes, however many frames there are."""
    aimed, real = [], GramLoss.of
    monkeypatch.setattr(GramLoss, "of", lambda features: aimed.append(features.shape) or real(features))
    impasto.stylize_video(clip_of("pan", pan), PAINTING, style_losses={"gram": 1.0}, **SETTINGS)
    assert len(aimed) == 6


def test_strengths_change_over_time(pan):
    """As long as the strength is the same, frames are; then they go further from the clip."""
    constant = impasto.stylize_video(clip_of("pan", pan), PAINTING, strength=0.1, **SETTINGS)
    rising = impasto.stylize_video(clip_of("pan", pan), PAINTING, strengths="0.04s:0.1, 0.16s:0.9", **SETTINGS)
    assert rising.recipe["strengths"] == {"0.04": 0.1, "0.16": 0.9}
    before, after = painted(constant), painted(rising)
    assert all(torch.equal(a, b) for a, b in zip(before[:2], after[:2], strict=True))
    assert (after[4] - pan[4]).abs().mean() > 1.1 * (before[4] - pan[4]).abs().mean()


def test_keyframes_alone_are_painted(pan):
    """The first as ever; the next follows it over the frames between."""
    whole = painted(impasto.stylize_video(clip_of("pan", pan), PAINTING, **SETTINGS))
    result = impasto.stylize_video(clip_of("pan", pan), PAINTING, keyframes=3, **SETTINGS)
    keys = painted(result)
    assert len(keys) == 2
    assert torch.equal(keys[0], whole[0])
    assert result.recipe["keyframes"] == 3
    assert change(keys, [pan[0], pan[3]]) < 0.1


def test_blends_change_over_time(pan):
    """As long as one style has all of it, frames are those that it paints alone; at the end the other one has."""
    two = [PAINTING, samples.painting(samples.paintings()[-1])]
    first, second = (
        impasto.stylize_video(clip_of("pan", pan), two, blend=blend, **SETTINGS) for blend in ((1, 0), (0, 1))
    )
    fading = impasto.stylize_video(clip_of("pan", pan), two, blends="0.04:1/0,0.16:0/1", **SETTINGS)
    assert fading.recipe["blends"] == {"0.04": [1.0, 0.0], "0.16": [0.0, 1.0]}
    before, after, mixed = painted(first), painted(second), painted(fading)
    assert all((a - b).abs().max() < 3 / 255 for a, b in zip(before[:2], mixed[:2], strict=True))
    assert (mixed[4] - after[4]).abs().mean() < (mixed[1] - after[1]).abs().mean()


def test_protected_parts_may_move(pan):
    """A mask is a clip: in every frame what it shows stays the clip's, and what it showed before is painted."""
    masks = [torch.zeros(1, 3, 48, 64) for _ in pan]
    for index, mask in enumerate(masks):
        mask[..., 8 * index : 8 * index + 16] = 1
    keep = clip_of("keep", masks)
    result = impasto.stylize_video(clip_of("pan", pan), PAINTING, protect=keep, **SETTINGS)
    assert result.recipe["inputs"]["protect"]["sha256"] == "keep"
    for index, (frame, pixels) in enumerate(zip(painted(result), pan, strict=True)):
        changed = (frame - pixels).abs().mean(dim=(0, 1, 2))
        assert changed[8 * index : 8 * index + 16].max() < 1 / 255
        assert all(part > 2 / 255 for part in changed[: max(0, 8 * index - 4)])


def test_keyframes_have_the_masks_of_their_frames(pan):
    """A mask that moves has as many frames as the clip, whichever of them are painted."""
    masks = [torch.full((1, 3, 48, 64), float(index == 3)) for index in range(len(pan))]
    clip = clip_of("pan", pan)
    result = impasto.stylize_video(clip, PAINTING, protect=clip_of("keep", masks), keyframes=3, **SETTINGS)
    first, second = painted(result)
    assert (second - pan[3]).abs().max() < 1 / 255
    assert (first - pan[0]).abs().max() > 0.05


def test_a_region_may_be_nowhere_for_a_while(pan):
    """A style whose mask is black in a frame has no say in it."""
    masks = [torch.ones(1, 3, 48, 64), torch.zeros(1, 3, 48, 64)]
    two = [PAINTING, samples.painting(samples.paintings()[-1])]
    clip = clip_of("pan", pan[:2])
    result = impasto.stylize_video(clip, two, masks=[clip_of("mask", masks), "rest"], **SETTINGS)
    assert [set(record.losses) for record in result.history] == [
        {name for name in record.losses if not name.endswith(other)}
        for record, other in zip(result.history, ("region2", "region1"), strict=True)
    ]


def test_boiling_parts_are_as_many_as_asked_for(pan):
    """Blots that a seed chooses, in the share that was given; at 1 no frame before has a say."""
    known = torch.ones(1, 1, 48, 64)
    whole = Led(torch.zeros(1, 3, 48, 64), known, known, known * 9)
    assert whole.boiled(0, pan[0], 1) is whole
    for share in (0.2, 0.5, 0.9, 1.0):
        found = whole.boiled(share, pan[0], 1)
        assert found.holes == pytest.approx(share, abs=1e-3)
        assert torch.equal(found.age, 9 * found.known)
    assert not torch.equal(whole.boiled(0.5, pan[0], 1).known, whole.boiled(0.5, pan[0], 2).known)


def test_a_video_that_boils_changes_more(pan):
    """Along the flow, the more of it boils."""
    strong = {**SETTINGS, "evaluations": (10, 10), "strength": 0.8}
    calm, some, much = (
        change(painted(impasto.stylize_video(clip_of("pan", pan[:3]), PAINTING, boil=boil, **strong)), pan[:3])
        for boil in (0.0, 0.4, 1.0)
    )
    assert calm < some < much


def test_keyframes_follow_what_is_out_of_sight(pan):
    """The first frame of a clip that stands still; one more each time that the camera has moved by a third of its view."""
    assert keyframes(clip_of("still", [pan[0]] * 4), (48, 64)) == (0,)
    assert keyframes(clip_of("cut", [pan[0]] * 4, (0, 2)), (48, 64)) == (0, 2)
    photo = images.read(samples.photo(samples.photos()[0])).pixels[..., :48, :]
    moved = [photo[..., 4 * time : 4 * time + 64] for time in range(13)]
    first, second, *_ = keyframes(clip_of("moved", moved), (48, 64))
    assert first == 0
    assert 3 <= second <= 7  # a third of 64 columns are lost after 5.3 frames; edges of motion are not trusted, either
    result = impasto.stylize_video(clip_of("cut", pan[:3], (0, 2)), PAINTING, keyframes="auto", **SETTINGS)
    assert result.recipe["keyframes"] == "auto"


@pytest.mark.parametrize("text", ["", "x", "0:2", "0:0.5,1:0", "-1:0.5", "0:0.5:1", "inf:0.5", "nan:0.5"])
def test_strengths_that_are_none_get_a_sentence(text):
    """What is not a number, or no strength between photo and texture."""
    with pytest.raises(SettingsError, match=r"such as 0:0\.2,4:0\.8"):
        VIDEO.split({"strengths": text})


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"size": 63}, "odd"),
        ({"keyframes": 0}, "0 frames apart"),
        ({"strengths": "0:0.5", "strength": 0.5}, "instead of strength"),
        ({"strengths": "0:0.5", "content_loss": "squared"}, "instead of strength"),
        ({"boil": 2}, "boil is 2"),
        ({"blends": "0:1/1"}, "a share for each style, of which there are 1"),
        ({"blends": "0:1", "blend": (1,)}, "instead of blend"),
        ({"temporal_weight": -1}, "temporal weight is -1"),
        ({"frame_evaluations": 0}, "0 evaluations"),
        ({"padding": "circular"}, "circular"),
        ({"init": "noise"}, "starts from content, preview"),
    ],
)
def test_what_will_not_do_gets_a_sentence(pan, values, sentence):
    """Before anything is painted."""
    with pytest.raises(SettingsError, match=sentence):
        impasto.stylize_video(clip_of("pan", pan), PAINTING, **{**SETTINGS, **values})


def test_plans_are_of_all_frames(pan):
    """Of ten times as many frames that follow, the time is that much more."""
    short = prepared({"content": [clip_of("a", pan[:1])], "styles": [PAINTING]}, {}, **SETTINGS)
    long = replace(short, clip=clip_of("b", [*pan, *pan]))
    one, ten = (run.plan(measure=True).seconds for run in (short, long))
    assert ten > one > 0
    assert short.plan(measure=False).seconds is None


def test_a_video_is_painted_in_one_process(pan):
    """The others would compute another frame."""
    run = prepared({"content": [clip_of("a", pan[:1])], "styles": [PAINTING]}, {}, **SETTINGS)
    with pytest.raises(SettingsError, match="leave torchrun out"):
        run.within(replace(run.budget, group=None))


def test_words_and_readers_agree():
    """Text as on the command line and data as in recipes."""
    words = {
        "temporal_weight": 3.0,
        "frame_evaluations": 5,
        "rate": 12.5,
        "keyframes": "auto",
        "boil": 0.5,
        "strengths": {"0": 0.2, "4.5": 0.8},
        "blends": {"0": [1.0, 0.0], "2": [0.0, 3.0]},
    }
    text, _ = VIDEO.split(
        {
            "temporal_weight": "3",
            "frame_evaluations": "5",
            "rate": "12.5",
            "keyframes": "auto",
            "boil": "0.5",
            "strengths": "4.5s:.8, 0:.2",
            "blends": "0:1/0, 2s:0/3",
        }
    )
    data, _ = VIDEO.split(words)
    assert text == data == words


def test_a_film_from_end_to_end(tmp_path, pan):
    """A file in, a file out, with what made it."""
    source = tmp_path / "clip.mp4"
    levels = [(frame[0] * 255).round().byte().permute(1, 2, 0).contiguous().numpy() for frame in pan]
    videos.write(source, videos.Painted(clip_of("pan", pan), 5, lambda index: levels[index]), quality=100)
    result = impasto.stylize_video(source, PAINTING, **SETTINGS)
    assert result.save(tmp_path / "out.mp4") == ()
    assert videos.read(tmp_path / "out.mp4").shape == (48, 64)
    assert videos.read_recipe(tmp_path / "out.mp4")["inputs"]["content"]["name"] == "clip.mp4"
