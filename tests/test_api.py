"""The functions that a notebook calls, on drawn radiographs."""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pydicom
import pytest

import cxrview
from cxrview.classify.inputs import Inputs
from cxrview.classify.options import READERS_OF_URLS
from cxrview.classify.plan import plan_run
from cxrview.errors import UsageError
from cxrview.image.pseudonyms import pseudonym
from cxrview.phantom.archive import draw_archive
from cxrview.results.columns import COLUMNS, FAILURE_COLUMNS


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "archive"
    draw_archive(folder, patients=2, size=(300, 260), seed=1)
    return folder


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture(scope="module")
def model() -> cxrview.Model:
    return cxrview.load_model(precision="fp32")


def test_classify_without_out_gives_the_table_and_writes_nothing(drawn, model):
    result = cxrview.classify(drawn, model=model)

    table, failures = result.to_arrow(), result.failures.to_arrow()
    files = sum(path.is_file() for path in drawn.rglob("*"))
    assert table.column_names == list(COLUMNS)
    assert failures.column_names == list(FAILURE_COLUMNS)
    assert table.num_rows + failures.num_rows == files == result.summary.found
    assert str(result.summary).startswith(f"{files} files: {result.summary.classified} classified")
    assert result.path is None and result.exit_code == result.summary.exit_code
    assert list(Path().iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["views.parquet", "views.csv", "views.jsonl", "views/"])
def test_classify_gives_the_same_table_whatever_it_is_written_as(drawn, model, name):
    without = cxrview.classify(drawn, model=model)

    result = cxrview.classify(drawn, model=model, out=name)

    assert result.path == Path(name)
    assert result.to_arrow().equals(without.to_arrow())
    assert result.failures.to_arrow().equals(without.failures.to_arrow())
    assert cxrview.read_result(name).to_arrow().equals(without.to_arrow())
    assert str(cxrview.read_result(name).summary) == str(result.summary)


def test_classify_gives_the_rows_of_the_command(drawn):
    command = [sys.executable, "-m", "cxrview", "classify", str(drawn), "--exact"]
    subprocess.run([*command, "--review-band", "20", "80"], capture_output=True)

    result = cxrview.classify(drawn, exact=True, review_band=(20, 80))

    assert result.to_arrow().equals(pq.read_table("views.parquet"))


def test_patients_have_pseudonyms_by_the_key_of_the_command(drawn, model, tmp_path):
    (row, *_) = cxrview.classify(drawn, model=model).to_arrow().to_pylist()
    key = (tmp_path / "settings" / "cxrview" / "patient.key").read_bytes().strip()
    patient = pydicom.dcmread(row["path"], stop_before_pixels=True).PatientID

    identified = cxrview.ClassifyOptions(identify=True)
    (real, *_) = cxrview.classify(drawn, model=model, options=identified).to_arrow().to_pylist()

    assert row["patient_key"] == pseudonym(key, patient)
    assert real["patient_key"] == patient


def test_to_pandas_gives_the_table(drawn, model):
    pandas = pytest.importorskip("pandas")

    result = cxrview.classify(drawn, model=model)

    assert isinstance(result.to_pandas(), pandas.DataFrame)
    assert list(result.to_pandas().columns) == list(COLUMNS)
    assert list(result.failures.to_pandas().code) == ["truncated"]


def test_to_pandas_without_pandas_says_what_to_install(drawn, model, monkeypatch):
    result = cxrview.classify(drawn, model=model)
    monkeypatch.setitem(sys.modules, "pandas", None)

    with pytest.raises(ImportError, match="pip install pandas"):
        result.to_pandas()


def test_classify_resumes_an_interrupted_run(drawn, model):
    def interrupt(outcomes):
        raise KeyboardInterrupt

    first = cxrview.classify(drawn, model=model, out="views.csv", on_outcomes=interrupt)
    with pytest.raises(cxrview.UsageError, match="is incomplete"):
        cxrview.classify(drawn, model=model, out="views.csv")
    second = cxrview.classify(drawn, model=model, out="views.csv", resume=True)

    assert (first.exit_code, first.summary.is_complete) == (130, False)
    assert str(first.summary).endswith("stopped before the end")
    assert second.summary.is_complete
    assert second.to_arrow().equals(cxrview.classify(drawn, model=model).to_arrow())


def test_classify_never_reads_its_own_result(drawn, model, tmp_path):
    for path in sorted(drawn.rglob("*"))[:3]:
        if path.is_file():
            (tmp_path / "work" / path.name).write_bytes(path.read_bytes())

    runs = [cxrview.classify(".", model=model, out="v.jsonl", overwrite=k > 0) for k in range(2)]

    assert runs[0].summary.found == runs[1].summary.found
    assert runs[1].summary.failed == runs[0].summary.failed


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"paths": "nowhere"}, cxrview.UsageError),
        ({"paths": "*.nothing"}, cxrview.UsageError),
        ({"paths": b"archive"}, TypeError),
        ({"paths": 3}, TypeError),
        ({"paths": ".", "overwrite": True, "resume": True}, cxrview.UsageError),
        ({"paths": ".", "resume": True}, cxrview.UsageError),
        ({"paths": ".", "forget_missing": True}, cxrview.UsageError),
        ({"paths": ".", "out": "views.txt"}, cxrview.UsageError),
        ({"paths": ".", "review_band": (80, 20)}, cxrview.UsageError),
        ({"paths": ".", "chest_cutoff": 101}, cxrview.UsageError),
        ({"paths": ".", "workers": 0}, cxrview.UsageError),
        ({"paths": ".", "shard": "9/8"}, cxrview.UsageError),
        ({"paths": ".", "known": ["nowhere.csv"]}, cxrview.UsageError),
        ({"paths": ".", "model": "nowhere"}, cxrview.InvalidModel),
    ],
)
def test_classify_refuses_what_it_cannot_do(arguments, error):
    with pytest.raises(error):
        cxrview.classify(**arguments)


def test_a_known_result_is_not_overwritten(drawn, model):
    cxrview.classify(drawn, model=model, out="views.csv")

    with pytest.raises(cxrview.UsageError, match="given as known"):
        cxrview.classify(drawn, model=model, out="views.csv", overwrite=True, known=["views.csv"])
    rest = cxrview.classify(drawn, model=model, known=["views.csv"])

    assert rest.to_arrow().num_rows == 0 and rest.summary.known > 0


def test_an_empty_folder_gives_an_empty_table_and_a_warning(model):
    with pytest.warns(UserWarning, match="holds no file"):
        result = cxrview.classify(".", model=model)

    assert result.to_arrow().num_rows == 0
    assert result.to_arrow().column_names == list(COLUMNS)


def test_streams_get_rows_and_failures_as_json_lines(drawn, model):
    rows, failures = io.StringIO(), io.StringIO()

    result = cxrview.classify(drawn, model=model, out=(rows, failures))

    lines = [len(stream.getvalue().splitlines()) for stream in (rows, failures)]
    assert sum(lines) == result.summary.found and lines[1] == 1
    with pytest.raises(cxrview.UsageError, match="stream"):
        result.to_arrow()


@pytest.mark.slow
def test_paths_may_be_several_or_a_generator(drawn, model):
    folders = sorted(path for path in drawn.iterdir() if path.is_dir())
    whole = cxrview.classify(str(drawn), model=model).to_arrow()

    several = cxrview.classify(folders, model=model).to_arrow()
    lazily = cxrview.classify((folder for folder in folders), model=model).to_arrow()
    glob = cxrview.classify(drawn / "*", model=model).to_arrow()

    assert whole.equals(several) and whole.equals(lazily) and whole.equals(glob)


def test_iter_classify_gives_an_outcome_for_each_file(drawn, model):
    outcomes = list(cxrview.iter_classify([drawn], model=model, workers=1))

    table = cxrview.classify(drawn, model=model).to_arrow()
    pfi = [one.pfi for one in outcomes if isinstance(one, cxrview.Prediction)]
    assert pfi == table.column("pfi").to_pylist()
    assert [one.code for one in outcomes if isinstance(one, cxrview.Failure)] == ["truncated"]
    with pytest.raises(cxrview.UsageError):
        cxrview.iter_classify("nowhere")


def test_plan_run_opens_more_files_at_once_behind_a_url(drawn, model, tmp_path):
    colon = tmp_path / "work" / "a:b"
    colon.mkdir()
    (colon / "film").touch()

    readers = [
        plan_run(path, model=model).options.readers for path in (drawn, "memory://films", "a:b")
    ]

    assert readers == [None, READERS_OF_URLS, None]


def test_plan_run_resolves_every_setting_once(drawn):
    model = cxrview.load_model("googlenet", precision="fp32")

    options = plan_run(drawn, model=model).options

    assert options.review_band == model.card.review_band
    assert options.chest_cutoff == model.card.chest_cutoff
    assert isinstance(options.key, bytes)
    assert options.resolved(model.card) == options


def test_plan_run_leaves_band_and_cutoff_to_the_card_of_the_model_that_decides(drawn, model):
    assert model.second_card is not None

    options = plan_run(drawn, model=model).options

    assert (options.review_band, options.chest_cutoff) == (None, None)
    assert options.resolved(model.card, second=model.second_card) == options


def test_inputs_take_a_file_named_like_the_list_for_a_file():
    assert Inputs.of("-").names == ("./-",)
    assert Inputs.of(["-", "a"]).names == ("./-", "a")


@pytest.fixture(scope="module")
def film(drawn) -> Path:
    return next(path for path in sorted(drawn.rglob("*")) if path.is_file())


def test_predict_gives_the_row_of_classify_for_a_path_bytes_and_a_dataset(film, model):
    (row,) = cxrview.classify(film, model=model).to_arrow().to_pylist()
    dataset = pydicom.dcmread(film)
    before = dataset.to_json()

    predictions = [model.predict(image) for image in (film, str(film), film.read_bytes(), dataset)]

    for one in predictions:
        assert (one.view, one.pfi, one.chest) == (row["view"], row["pfi"], row["chest"])
        assert one.instance.sop_instance_uid == row["sop_instance_uid"]
    assert dataset.to_json() == before


def test_predict_takes_a_radiograph(film, model):
    exact = model.predict(film, exact=True)
    radiograph = cxrview.read_radiograph(film, cxrview.ReadOptions(exact=True))

    assert model.predict(radiograph) == replace(exact, instance=radiograph.instance)


def test_predict_sends_to_review_what_the_caller_asks_for(film, model):
    prediction = model.predict(film, review_band=(0, 100))

    assert (prediction.decision, prediction.view) == (cxrview.Decision.REVIEW, None)


def test_predict_refuses_what_is_not_an_image(film, model, tmp_path):
    dataset = pydicom.dcmread(film)
    del dataset.file_meta
    (tmp_path / "text").write_text("not an image")

    with pytest.raises(cxrview.UsageError, match="TransferSyntaxUID"):
        model.predict(dataset)
    with pytest.raises(TypeError, match="predict_pixels takes arrays"):
        model.predict(np.zeros((4, 4), np.uint8))
    with pytest.raises(cxrview.NotAnImage):
        model.predict(tmp_path / "text")


def test_predict_pixels_takes_arrays_of_any_size(film, model):
    pixels = cxrview.read_radiograph(film).pixels

    one = model.predict_pixels(pixels[None])
    several = model.predict_pixels([pixels, pixels[::2, ::2], pixels[:, ::-1]])

    assert one.shape == (1,) and several.shape == (3,)
    assert several[0] == one[0]
    assert ((several >= 0) & (several <= 100)).all()
    assert model.predict_pixels([]).shape == (0,)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (np.zeros((2, 8, 8)), "uint8.*got float64"),
        (np.zeros((2, 8, 8), np.uint16), "uint8.*got uint16"),
        (np.zeros((8, 8), np.uint8), r"\(n, rows, columns\).*pixels\[None\]"),
        (np.zeros((1, 8, 8, 3), np.uint8), r"\(n, rows, columns\)"),
        ([np.zeros((8, 8, 3), np.uint8)], "grey"),
        ([[1, 2]], "uint8"),
        ("film.dcm", "got a str"),
    ],
)
def test_predict_pixels_says_what_is_expected(arrays, said, model):
    with pytest.raises(ValueError, match=said):
        model.predict_pixels(arrays)


@pytest.mark.parametrize(("began", "now"), [("googlenet", None), ("fast", "googlenet")])
def test_classify_resumes_only_with_the_model_of_the_package_that_began(drawn, began, now):
    cxrview.classify(drawn, model=began, out="views.csv", is_time_up=lambda: True)

    with pytest.raises(UsageError) as caught:
        cxrview.classify(drawn, model=now, out="views.csv", resume=True)

    assert f"--model {began})" in caught.value.advice
    assert plan_run(drawn, model=began, out="views.csv", resume=True).is_resumed
