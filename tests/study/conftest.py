"""Everything here needs torch, which inference does not."""

import pytest

pytest.importorskip("torch", reason="needs torch: pip install '.[train]'")
