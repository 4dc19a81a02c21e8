"""Speech played on strings, and strings spoken: how far style falls, and whether what begins still begins when it did.

    python examples/sound_transfer.py [SECONDS] [FILTERS]

Writes spoken.wav and played.wav with their spectrograms, and prints for each the fall of the style loss from the content
to the delivered sound, the correlation of its onsets with the content's and, for comparison, with the style's, and the
loudest sample. With 4 seconds and 4096 filters it takes some minutes on one core.
"""

import sys

import torch
from torch import Tensor

from impasto import sounds
from impasto.runs.sequences.sound import SoundTransfer
from impasto.runs.sequences.sound_filters import SoundFilters
from sounds import RATE, speech, strings


def onsets_of(samples: Tensor) -> Tensor:
    """What begins when, in the spectrogram that the task hears."""
    heard = sounds.Spectrogram.at(RATE)
    spectra = heard.spectra(samples)
    return sounds.onsets(heard.levels(spectra, float(spectra.abs().max())))


def main(seconds: float = 4.0, filters: int = 4096) -> None:
    """Both ways."""
    pair = {"speech": speech(seconds), "strings": strings(seconds)}
    for content, style, name in (("speech", "strings", "played"), ("strings", "speech", "spoken")):
        inputs = [sounds.as_sound(pair[one], RATE, one) for one in (content, style)]
        run = SoundTransfer.of(*inputs, sound_filters=SoundFilters(filters=filters))
        result = run.run()
        assert result.tensor.shape == inputs[0].samples.shape
        result.save(f"{name}.wav")
        result.save_picture(f"{name}.png")
        other = torch.corrcoef(torch.stack([onsets_of(pair[style]), onsets_of(result.tensor)]))[0, 1]
        print(
            f"{name}.wav: style {result.measures['fall']:.0f} times lower, onsets of the content "
            f"{result.measures['onsets']:.3f}, of the style {other:.3f}, peak {result.measures['peak']:.3f}, "
            f"{result.timings['descent']:.0f} s"
        )


if __name__ == "__main__":
    main(*(kind(word) for kind, word in zip((float, int), sys.argv[1:], strict=False)))
