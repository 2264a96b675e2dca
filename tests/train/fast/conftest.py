"""One folder of prepared pictures for all tests of the fast model."""

import pytest


@pytest.fixture(scope="session")
def pictures_folder(tmp_path_factory):
    """Of `fixtures.fast_pictures.make_pictures`."""
    from fixtures.fast_pictures import make_pictures

    return make_pictures(tmp_path_factory.mktemp("fast"))


@pytest.fixture(scope="session")
def pictures(pictures_folder):
    """The same, opened."""
    from cxrview.train.fast.pictures import open_pictures

    return open_pictures(pictures_folder)
