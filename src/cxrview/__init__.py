"""Finds out which way chest radiographs face: frontal or lateral, one row per image.

import cxrview

for row in cxrview.classify_files(cxrview.find_images(["archive"])):
    print(row)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cxrview.classify.engine import EngineSettings, classify_files
    from cxrview.classify.model import Model, load_model
    from cxrview.classify.read_settings import ReadSettings
    from cxrview.classify.run import classify_archive
    from cxrview.errors import CxrviewError, UnreadableImage
    from cxrview.image import Limits, ReadOptions, find_images, read_radiograph
    from cxrview.records import Failure, Instance, ModelCard, Prediction, Radiograph
    from cxrview.results.files import Outputs
    from cxrview.terms import Agreement, Decision, View

_MODULES = {
    "Agreement": "terms",
    "CxrviewError": "errors",
    "Decision": "terms",
    "EngineSettings": "classify.engine",
    "Failure": "records",
    "Instance": "records",
    "Limits": "image",
    "Model": "classify.model",
    "ModelCard": "records",
    "Outputs": "results.files",
    "Prediction": "records",
    "Radiograph": "records",
    "ReadOptions": "image",
    "ReadSettings": "classify.read_settings",
    "UnreadableImage": "errors",
    "View": "terms",
    "classify_archive": "classify.run",
    "classify_files": "classify.engine",
    "find_images": "image",
    "load_model": "classify.model",
    "read_radiograph": "image",
}
"""Loaded when first asked for: `cxrview --help` should not wait for numpy."""

__all__ = [
    "Agreement",
    "CxrviewError",
    "Decision",
    "EngineSettings",
    "Failure",
    "Instance",
    "Limits",
    "Model",
    "ModelCard",
    "Outputs",
    "Prediction",
    "Radiograph",
    "ReadOptions",
    "ReadSettings",
    "UnreadableImage",
    "View",
    "classify_archive",
    "classify_files",
    "find_images",
    "load_model",
    "read_radiograph",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'cxrview' has no attribute {name!r}")
    return getattr(import_module(f"cxrview.{_MODULES[name]}"), name)
