"""An ECG with the shape of another, and an ECG of any length: both records come with Python packages. Not for diagnosis.

    pip install pywavelets pydicom
    python examples/signal_transfer.py

Writes stylized.csv and texture.csv with their curves.
"""

import pywt.data
from pydicom.data import get_testdata_file

from impasto import signals
from impasto.runs.sequences.signal import SignalTransfer


def main() -> None:
    """The one-lead record of PyWavelets (MIT-BIH, 360 Hz) and lead II of pydicom's 12-lead record (1000 Hz)."""
    short = signals.as_record(pywt.data.ecg(), 360, leads=("MLII",), name="PyWavelets' ecg")
    long = signals.read(str(get_testdata_file("waveform_ecg.dcm"))).chosen(["II"])
    for run, name in (
        (SignalTransfer.of(short, long), "stylized"),
        (SignalTransfer.texture(short, 2048), "texture"),
    ):
        result = run.run()
        result.save(f"{name}.csv")
        result.save_picture(f"{name}.png")
        print(f"{name}.csv: {result.measures}, {result.timings['descent']:.0f} s")


if __name__ == "__main__":
    main()
