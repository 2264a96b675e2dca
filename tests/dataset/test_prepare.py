"""Labelled files become pictures, and the paper's conversion is followed to the bit."""

import hashlib
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrview.dataset.decode import squash_file, through_jpeg
from cxrview.dataset.prepare import prepare_images
from cxrview.dataset.store import open_prepared
from cxrview.errors import UsageError
from cxrview.image import ReadOptions, read_radiograph, squash
from cxrview.phantom.archive import draw_archive
from cxrview.records.classification import Failure
from cxrview.sources.patient_source import PatientSource
from cxrview.terms import View


@pytest.fixture(scope="module")
def labels(tmp_path_factory) -> Path:
    """Six files of two patients: four pictures of noise, a black one, and one that is none."""
    folder = tmp_path_factory.mktemp("labelled")
    rng = np.random.default_rng(0)
    lines = ["file,patient,view,study,source"]
    for number in range(6):
        Image.fromarray(rng.integers(0, 256, (300, 280), np.uint8)).save(folder / f"{number}.png")
        lines.append(f"{number}.png,p{number % 2},{'lateral' if number % 2 else 'frontal'},s,drawn")
    Image.new("L", (300, 280)).save(folder / "4.png")
    (folder / "2.png").write_bytes(b"no picture")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder / "labels.csv"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> list[Path]:
    """Two sound DICOM radiographs of 512 x 420."""
    folder = tmp_path_factory.mktemp("drawn") / "archive"
    faultless = {"header_faults": ["none"], "damages": ["none"], "strangers": False}
    draw_archive(folder, patients=1, size=(512, 420), seed=3, **faultless)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_pictures_are_those_that_a_user_would_have_classified(labels, tmp_path):
    store = prepare_images(labels, tmp_path / "store")

    for image in store.images:
        path = labels.parent / image.file
        radiograph = read_radiograph(str(path))
        assert np.array_equal(store.pixels[image.row], squash(radiograph.pixels))
        assert image.file_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert image.pixel_sha256 == hashlib.sha256(store.pixels[image.row].tobytes()).hexdigest()
    assert [image.file[0] for image in store.images] == ["0", "1", "3", "4", "5"]
    assert store.images[4].patient == "p1"
    assert (store.images[4].study, store.images[4].source) == ("s", "drawn")
    assert store.images[4].view is View.LATERAL
    assert store.images[3].warnings == ("constant_image",)


def test_a_file_that_cannot_be_read_is_listed_and_ends_nothing(labels, tmp_path):
    (failure,) = prepare_images(labels, tmp_path / "store").failures

    assert (failure.path, failure.code) == ("2.png", "not_an_image")
    assert failure.reason
    assert failure.advice


def test_the_bytes_do_not_depend_on_the_number_of_workers(labels, tmp_path):
    prepare_images(labels, tmp_path / "one", workers=1)
    prepare_images(labels, tmp_path / "three", workers=3)

    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "three" / path.name).read_bytes()


def test_a_complete_store_is_opened_and_no_file_read_again(labels, tmp_path):
    done = []
    first = prepare_images(labels, tmp_path / "store")

    again = prepare_images(labels, tmp_path / "store", watch=done.append)

    assert again.images == first.images
    assert done == []


HEADERS = "Manufacturer,file,View Position,View Code Sequence\n"


def test_headers_beside_bare_pictures_are_kept(labels, tmp_path):
    """One header that is silent, one of a file without a label, and pictures without any."""
    rows = "Maker,0.png,PA,\n,1.png,,\nOther,elsewhere.png,LL,\n"
    (tmp_path / "headers.csv").write_text(HEADERS + rows)

    store = prepare_images(labels, tmp_path / "store", headers_path=tmp_path / "headers.csv")

    kept = [(i.has_header, i.manufacturer, i.header_view) for i in store.images]
    assert kept[:2] == [(True, "Maker", View.FRONTAL), (True, "", None)]
    assert kept[2:] == [(False, "", None)] * 3


def test_other_headers_are_other_conditions(labels, tmp_path):
    (tmp_path / "headers.csv").write_text(HEADERS)
    prepare_images(labels, tmp_path / "store")

    with pytest.raises(UsageError, match="--headers"):
        prepare_images(labels, tmp_path / "store", headers_path=tmp_path / "headers.csv")


def test_the_header_in_a_file_goes_before_one_beside_it(tmp_path):
    archive = tmp_path / "archive"
    faultless = {"header_faults": ["none"], "damages": ["none"], "strangers": False}
    draw_archive(archive, patients=1, size=(96, 80), seed=3, **faultless)
    files = sorted(str(path.relative_to(tmp_path)) for path in archive.rglob("IM*"))
    truth = [read_radiograph(str(tmp_path / file)).instance for file in files]
    labelled = "".join(f"{file},p,frontal\n" for file in files)
    (tmp_path / "labels.csv").write_text("file,patient,view\n" + labelled)
    other = "".join(f"Beside,{file},,\n" for file in files)
    (tmp_path / "headers.csv").write_text(HEADERS + other)

    store = prepare_images(
        tmp_path / "labels.csv", tmp_path / "store", headers_path=tmp_path / "headers.csv"
    )

    assert all(image.has_header for image in store.images)
    assert [i.header_view for i in store.images] == [t.header_view for t in truth]
    assert [i.manufacturer for i in store.images] == [t.manufacturer for t in truth]
    assert {View.FRONTAL, View.LATERAL} <= {i.header_view for i in store.images}
    assert all(image.manufacturer not in ("", "Beside") for image in store.images)


def test_other_labels_are_other_conditions(labels, tmp_path):
    prepare_images(labels, tmp_path / "store")
    other = labels.with_name("other.csv")
    other.write_text(labels.read_text().replace("drawn", "mine"))

    with pytest.raises(UsageError, match="the labels file"):
        prepare_images(other, tmp_path / "store")

    assert open_prepared(tmp_path / "store").images[0].source == "drawn"


@pytest.mark.parametrize("is_first", [True, False])
def test_patients_found_in_another_way_are_other_conditions(labels, tmp_path, is_first):
    """A store would hold one patient under two names, in two parts of a split."""
    ways = [PatientSource(column="study"), None]
    before, after = ways if is_first else reversed(ways)
    prepare_images(labels, tmp_path / "store", patients=before)

    with pytest.raises(UsageError, match="--patient-column"):
        prepare_images(labels, tmp_path / "store", patients=after)


def test_labels_without_a_chest_are_refused(tmp_path):
    (tmp_path / "labels.csv").write_text("file,patient,view\n")

    with pytest.raises(UsageError, match="no frontal and no lateral image"):
        prepare_images(tmp_path / "labels.csv", tmp_path / "store")


def test_the_published_conversion_is_that_of_dcmtk(drawn, program, tmp_path):
    """Windowed by DCMTK, written as JPEG by its libjpeg, read by Pillow; then squashed by us."""
    dcmj2pnm = program("dcmj2pnm")
    for path in drawn:
        jpeg = tmp_path / f"{path.name}.jpg"
        subprocess.run(
            [dcmj2pnm, "+Wm", "-O", "+oj", "+Jq", "90", path, jpeg], check=True, capture_output=True
        )
        theirs = np.asarray(Image.open(jpeg).convert("L"))

        ours = through_jpeg(read_radiograph(str(path), ReadOptions(exact=True)).pixels)
        prepared = squash_file(path, as_published=True)

        assert np.abs(ours.astype(int) - theirs).max() <= 1
        assert np.abs(prepared.pixels.astype(int) - squash(theirs)).max() <= 1


def test_the_published_conversion_loses_something(drawn):
    plain, published = (squash_file(drawn[0], as_published=asked) for asked in (False, True))

    difference = np.abs(plain.pixels.astype(int) - published.pixels)
    assert 0 < difference.mean() < 1
    assert plain.file_sha256 == published.file_sha256
    assert plain.pixel_sha256 != published.pixel_sha256


def test_what_no_jpeg_can_hold_is_a_failure_that_says_so(tmp_path):
    Image.fromarray(np.eye(2, 66_000, dtype=np.uint8)).save(tmp_path / "long.png")

    outcome = squash_file(tmp_path / "long.png", as_published=True)

    assert isinstance(outcome, Failure)
    assert outcome.code == "unsupported"
    assert "--as-published" in outcome.advice


def test_a_file_that_vanished_is_a_failure(tmp_path):
    outcome = squash_file(tmp_path / "gone.png")

    assert isinstance(outcome, Failure)
    assert outcome.code == "cannot_open"


@pytest.mark.slow
def test_every_shared_radiograph_is_prepared_and_none_twice(shared_data, tmp_path):
    headers = shared_data / "open-i-headers.csv.gz"
    store = prepare_images(shared_data / "labels.csv", tmp_path / "store", headers_path=headers)

    assert store.pixels.shape == (4157, 256, 256)
    assert store.failures == ()
    assert len(set(store.content.values())) == 4157
    assert sum(image.has_header for image in store.images) == 3746
