"""What the tests of shared web parts ask for."""

from fixtures.visitors import visit  # noqa: F401 (a fixture)
