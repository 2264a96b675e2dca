"""Which turned, mirrored and inverted images a page shows."""

from cxrview.audit.select_poses import FEW, PoseSelection


def image(path, **facts):
    row = {
        "path": path,
        "rotation": 0,
        "rotation_probability": 99.0,
        "mirrored": False,
        "mirrored_probability": 1.0,
        "inverted": False,
        "inverted_probability": 1.0,
    }
    return row | facts


def chosen(rows, most=60):
    selection = PoseSelection(most=most)
    for row in rows:
        selection.add(row)
    return {one.key: ([row["path"] for row in one.rows], one.total) for one in selection.sections()}


def test_pose_selection_puts_an_image_into_every_kind_that_it_is_of():
    rows = [image("upright"), image("both", rotation=90, inverted=True), image("one", rotation=90)]

    assert chosen(rows) == {"turned-90": (["both", "one"], 2), "inverted": (["both"], 1)}


def test_pose_selection_shows_the_least_certain_first_and_counts_the_rest():
    rows = [image(str(p), rotation=270, rotation_probability=p) for p in range(80, 100)]

    assert chosen(rows) == {"turned-270": ([str(p) for p in range(80, 80 + FEW)], 20)}


def test_pose_selection_orders_by_the_more_probable_of_two_answers():
    unsure = [image(str(p), mirrored=None, mirrored_probability=p) for p in (10.0, 45.0, 80.0)]

    assert chosen(unsure)["unsure"][0] == ["45.0", "80.0", "10.0"]


def test_pose_selection_without_pictures_leaves_the_counts():
    assert chosen([image("a", mirrored=True)], most=0) == {"mirrored": ([], 1)}


def test_pose_selection_of_an_old_table_has_no_section():
    assert chosen([dict.fromkeys(image("")) | {"path": "a"}]) == {}
