"""What cannot become a result is refused before the first file is read."""

from pathlib import Path

import pytest

from cxrview.errors import UsageError
from cxrview.results.files import Outputs


@pytest.mark.parametrize("kind", ["link", "broken link", "mount point"])
def test_a_folder_of_parts_that_cannot_be_replaced_is_refused(tmp_path, monkeypatch, kind):
    views = tmp_path / "views"
    if kind == "mount point":
        views.mkdir()
        monkeypatch.setattr(Path, "is_mount", lambda path: path == views)
    else:
        views.symlink_to(tmp_path if kind == "link" else tmp_path / "nowhere")

    for overwrite in (False, True):
        with pytest.raises(UsageError, match=f"(link|mount point), .* such as {views}/views/"):
            Outputs.named(f"{views}/").check(overwrite=overwrite, resume=False)

    if kind == "mount point":
        Outputs.named(f"{views}/views/").check(overwrite=False, resume=False)
