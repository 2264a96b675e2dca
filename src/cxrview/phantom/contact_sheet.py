"""Draw the contact sheet for the docs: `python -m cxrview.phantom.contact_sheet OUT.png`."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from cxrview.phantom.patient import draw_patient
from cxrview.phantom.render import render_patient
from cxrview.terms import Projection


def draw_sheet(
    out: Path, *, patients: int = 3, seed: int = 0, size: tuple[int, int] = (1024, 840)
) -> None:
    """Write a PNG with a column for each patient, frontal above and lateral below.

    Args:
        out: an existing file is replaced.
        patients: number of patients, at least 1.
        seed: of the patients, as for `draw_archive`.
        size: rows and columns of each drawn image; the sheet shows it at a quarter of the size.
    """
    shown = (size[1] // 4, size[0] // 4)
    rows = []
    for projection in (Projection.PA, Projection.LL):
        drawn = [
            render_patient(draw_patient(number, seed), projection, size, bits=8).astype(np.uint8)
            for number in range(1, patients + 1)
        ]
        small = [Image.fromarray(one).resize(shown, Image.Resampling.LANCZOS) for one in drawn]
        rows.append(np.hstack([np.asarray(one) for one in small]))
    Image.fromarray(np.vstack(rows)).save(out, optimize=True)


if __name__ == "__main__":
    draw_sheet(Path(sys.argv[1]))
