"""The whole way: two read blind, the senior settles, and the figures are those of others' tools."""

import csv
import re
from itertools import pairwise

import pytest

from cxrview.terms import Action, ReadingRound
from fixtures.browsers import wait_for_text

IMAGES = 40


@pytest.mark.slow
def test_two_readers_label_forty_images_and_the_senior_settles(
    serve, browser, hand, roles, phantoms
):
    """Ann takes every image for what it is; Bo calls every eighth of his pictures the other."""
    served = serve(IMAGES, roles)
    truth = true_views(served, phantoms)
    pages = {name: served.enter(browser(), name) for name in roles}
    keys = {name: hand(page) for name, page in pages.items()}
    wrong = set()
    for number in range(IMAGES):
        for name in roles:
            view = truth[name][keys[name].showing]
            if name == "Bo" and number % 8 == 3:
                wrong.add(keys[name].showing)
                view = "lateral" if view == "frontal" else "frontal"
            keys[name].press(view[0])
    said = blind_labels(served.wait_for_readings(2 * IMAGES, Action.LABEL))

    bo = pages["Bo"]
    bo.goto(f"{served.address}/adjudicate")
    settling = hand(bo)
    wait_for_text(bo, "#count", "5 left")
    assert bo.locator("#sides li").all_text_contents() in (
        ["frontal", "lateral"],
        ["lateral", "frontal"],
    )
    for _ in range(5):
        settling.press("f")
    assert "No conflicts left" in bo.locator("#message").text_content()
    readings = served.wait_for_readings(2 * IMAGES + 5, Action.LABEL)
    rulings = [one for one in readings if one.round is ReadingRound.ADJUDICATION]
    assert {one.image_id for one in rulings} == {
        image for image, label in said[1].items() if said[2][image] != label
    }
    assert len(rulings) == len(wrong) == 5

    bo.goto(f"{served.address}/agreement")
    check_agreement(bo, said)


def check_agreement(page, said):
    """What the page says of kappa is what scikit-learn makes of the labels; its interval is about
    that of statsmodels, without its ends beyond 1."""
    metrics = pytest.importorskip("sklearn.metrics")
    raters = pytest.importorskip("statsmodels.stats.inter_rater")
    images = sorted(said[1])
    first, second = [[said[reader][image] for image in images] for reader in (1, 2)]
    kappa = metrics.cohen_kappa_score(first, second)
    theirs = raters.cohens_kappa(metrics.confusion_matrix(first, second))
    words = page.locator(".pairing .figure").first.text_content()

    shown = [float(number) for number in re.findall(r"-?\d\.\d{3}", words)]
    assert shown[0] == pytest.approx(kappa, abs=5e-4)
    assert shown[1] < shown[0] < shown[2] <= 1
    assert shown[1:] == pytest.approx([theirs.kappa_low, theirs.kappa_upp], abs=theirs.std_kappa)
    labels = page.locator(".confusion thead th").all_text_contents()
    counts = page.locator(".confusion td.number").all_text_contents()
    table = metrics.confusion_matrix(first, second, labels=labels)
    # Who stands in the rows is drawn by lot while conflicts may come.
    assert [int(one) for one in counts] in (table.ravel().tolist(), table.T.ravel().tolist())
    assert "35 of 40 images agree" in page.content()


def true_views(served, phantoms):
    """By reader's name and showing, what each picture is."""
    from contextlib import closing

    from cxrview.annotate.database.store import open_readings
    from cxrview.annotate.worklist import worklist

    with phantoms.with_name("drawn.truth.csv").open(newline="") as table:
        view_of = {row["file"]: row["view"] for row in csv.DictReader(table)}
    with closing(open_readings(str(served.where))) as store:
        images, readers = store.images(), store.readers()
        path_of = {image.image_id: image.path for image in images}
        return {
            reader.name: {
                one.showing_id: view_of[path_of[one.image_id].split("/", 1)[1]]
                for one in worklist(store.study, images, readers, reader)
            }
            for reader in readers
        }


def blind_labels(readings):
    """By reader and image."""
    said = {1: {}, 2: {}}
    for one in readings:
        said[one.reader_id][one.image_id] = one.label
    assert all(before.reading_id < after.reading_id for before, after in pairwise(readings))
    return said
