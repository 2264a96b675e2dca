"""Files on disk to rows, against the loop that anyone would write by hand.

Usage: python benchmarks/throughput.py [PATIENTS]

Draws PATIENTS phantoms of 2500 x 2048 pixels in each transfer syntax and prints, for each, files
a second by both ways in the same run, and their ratio. The loop by hand is pydicom's
`pixel_array`, minimum to maximum, Pillow's resize, and ONNX Runtime one image at a time.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from importlib.resources import files as files_of
from pathlib import Path

import numpy as np
import onnxruntime
import pydicom
from PIL import Image

from cxrview.classify.decode_worker import ReadSettings
from cxrview.classify.engine import EngineSettings, classify_files
from cxrview.classify.runtime import Model, load_model
from cxrview.image import find_images
from cxrview.phantom.archive import draw_archive

SYNTAXES = (
    "native",
    "rle",
    "jpeg",
    "jpeg-lossless",
    "jpeg-ls",
    "jpeg-2000",
    "jpeg-2000-lossy",
    "htj2k",
)


def main(patients: int) -> None:
    """Measure and print."""
    model = load_model()
    print(f"{'syntax':16} {'by hand':>9} {'cxrview':>9}   ratio")
    for syntax in SYNTAXES:
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "archive"
            draw_archive(
                archive,
                patients=patients,
                size=(2500, 2048),
                seed=0,
                syntaxes=[syntax],
                strangers=False,
                damages=[],
            )
            files = list(find_images([str(archive)]))
            try:
                slow = rate(by_hand, files, model)
            except Exception as error:  # a decoder that a bare pydicom lacks
                print(f"{syntax:16} {type(error).__name__:>9} {rate(engine, files, model):7.1f}/s")
                continue
            fast = rate(engine, files, model)
            print(f"{syntax:16} {slow:7.1f}/s {fast:7.1f}/s  {fast / slow:6.2f}")


def rate(run: Callable[[list[str], Model], None], files: list[str], model: Model) -> float:
    """Files a second."""
    began = time.perf_counter()
    run(files, model)
    return len(files) / (time.perf_counter() - began)


def by_hand(files: list[str], model: Model) -> None:
    """The loop that anyone would write."""
    weights = files_of("cxrview.classify") / "weights" / "model.onnx"
    session = onnxruntime.InferenceSession(weights.read_bytes())
    for file in files:
        header = pydicom.dcmread(file)
        values = header.pixel_array.astype(np.float32)
        grey = 255 * (values - values.min()) / max(values.max() - values.min(), 1)
        if header.PhotometricInterpretation == "MONOCHROME1":
            grey = 255 - grey
        small = Image.fromarray(grey.astype(np.uint8)).resize((256, 256), Image.Resampling.LANCZOS)
        session.run(None, {"radiographs": np.asarray(small)[None]})


def engine(files: list[str], model: Model) -> None:
    """The engine, workers started and stopped."""
    read = ReadSettings(side=model.card.input_side)
    for _ in classify_files(files, model, EngineSettings(read=read)):
        pass


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
