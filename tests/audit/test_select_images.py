"""Which images a page shows."""

from cxrview.audit.select_images import select_images


def image(path, decision="classified", view="frontal", agreement="agrees", pfi=99.0, chest=99.0):
    return {
        "path": path,
        "decision": decision,
        "view": view,
        "agreement": agreement,
        "pfi": pfi,
        "chest": chest,
    }


def paths(rows, key, most=10, seed=0):
    sections = {one.key: one for one in select_images(rows, most=most, seed=seed)}
    return [row["path"] for row in sections[key].rows], sections[key].left_out


def test_disagreements_come_most_doubtful_first():
    rows = [image(str(pfi), agreement="disagrees", pfi=pfi) for pfi in (99.0, 88.0, 1.0, 30.0)]

    assert paths(rows, "disagrees") == (["30.0", "88.0", "99.0", "1.0"], 0)


def test_a_section_says_how_many_it_leaves_out():
    rows = [image(str(n), agreement="disagrees", pfi=60.0 + n) for n in range(9)]

    assert paths(rows, "disagrees", most=2) == (["0", "1"], 7)


def test_refused_images_come_nearest_to_a_chest_first():
    rows = [image(str(c), decision="not_chest", view=None, chest=c) for c in (1.0, 39.0, 20.0)]

    assert paths(rows, "not_chest")[0] == ["39.0", "20.0", "1.0"]


def test_the_sample_of_what_agrees_is_random_and_follows_its_seed():
    rows = [image(str(n)) for n in range(200)]

    first, again, other = (paths(rows, "agrees", most=20, seed=s)[0] for s in (0, 0, 1))

    assert first == again != other
    assert first != [str(n) for n in range(20)]


def test_no_pictures_leaves_the_counts():
    rows = [image("1", agreement="disagrees"), image("2", decision="review", view=None)]

    assert paths(rows, "disagrees", most=0) == ([], 1)
    assert paths(rows, "review", most=0) == ([], 1)
