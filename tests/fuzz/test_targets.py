"""Each target takes its seeds and a fixed sample of damaged inputs."""

import random
import warnings

import pytest

pytest.importorskip("pynetdicom", reason="needs the extra serve: pip install '.[serve]'")
pytest.importorskip("onnx", reason="needs the extra train: pip install '.[train]'")

from fuzz.bounds import bounded  # noqa: E402
from fuzz.catalogue import NAMES, load_target  # noqa: E402
from fuzz.mutate import mutate  # noqa: E402

SAMPLE = {
    "dicom_reader": 60,
    "raster_readers": 60,
    "writeback_file": 40,
    "rest_body": 40,
    "stow_multipart": 8,
    "c_store_dataset": 15,
    "csv_tables": 40,
    "toml_configuration": 60,
    "model_folder": 25,
    "journals": 30,
}
"""Damaged inputs of the default run: about a second of each. `make fuzz` runs for an hour."""


@pytest.mark.parametrize("name", NAMES)
def test_target_takes_damaged_input(name):
    target = load_target(name)
    seeds = target.seeds()
    rng = random.Random(name)

    for _ in range(SAMPLE[name]):
        data = mutate(rng.choice(seeds), seeds, rng)
        with bounded(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target.check(data)
