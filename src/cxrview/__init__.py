"""Finds out which way chest radiographs face: frontal or lateral, one row per image.

    import cxrview

    result = cxrview.classify("archive/")        # a path, folder, glob, URL, or several of them
    result.to_pandas()                           # one row per image
    result.failures.to_pandas()                  # files that could not be read
    print(result.summary)                        # 14 files: 11 classified, 0 review, ...

    model = cxrview.load_model()
    model.predict("film.dcm")                    # -> Prediction
    model.predict_pixels(arrays)                 # uint8 arrays -> PFI in percent, shape (n,)

PFI is the probability of a frontal image, in percent. docs/python.md has more examples.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # `as` marks a name as public for type checkers
    from cxrview.api import classify as classify
    from cxrview.api import iter_classify as iter_classify
    from cxrview.api import read_result as read_result
    from cxrview.classify.backend import Backend as Backend
    from cxrview.classify.calibration_file import read_calibration as read_calibration
    from cxrview.classify.explain import Explanation as Explanation
    from cxrview.classify.explain import explain as explain
    from cxrview.classify.inputs import Inputs as Inputs
    from cxrview.classify.model import Model as Model
    from cxrview.classify.model import load_model as load_model
    from cxrview.classify.options import NO_REVIEW as NO_REVIEW
    from cxrview.classify.options import ClassifyOptions as ClassifyOptions
    from cxrview.classify.promise import Promise as Promise
    from cxrview.errors import CannotOpen as CannotOpen
    from cxrview.errors import CannotSortFolder as CannotSortFolder
    from cxrview.errors import CannotWrite as CannotWrite
    from cxrview.errors import CorruptHeader as CorruptHeader
    from cxrview.errors import CorruptPixels as CorruptPixels
    from cxrview.errors import CxrviewError as CxrviewError
    from cxrview.errors import DecoderCrashed as DecoderCrashed
    from cxrview.errors import EmptyFile as EmptyFile
    from cxrview.errors import InferenceError as InferenceError
    from cxrview.errors import InputUnavailable as InputUnavailable
    from cxrview.errors import InvalidModel as InvalidModel
    from cxrview.errors import NestedTooDeep as NestedTooDeep
    from cxrview.errors import NoPixelData as NoPixelData
    from cxrview.errors import NoSuchDevice as NoSuchDevice
    from cxrview.errors import NotAFile as NotAFile
    from cxrview.errors import NotAnImage as NotAnImage
    from cxrview.errors import OutOfMemory as OutOfMemory
    from cxrview.errors import RunStopped as RunStopped
    from cxrview.errors import TimedOut as TimedOut
    from cxrview.errors import TooLarge as TooLarge
    from cxrview.errors import Truncated as Truncated
    from cxrview.errors import UnreadableImage as UnreadableImage
    from cxrview.errors import Unsupported as Unsupported
    from cxrview.errors import UsageError as UsageError
    from cxrview.errors import WorkerStartError as WorkerStartError
    from cxrview.image import ImageFile as ImageFile
    from cxrview.image import Limits as Limits
    from cxrview.image import ReadOptions as ReadOptions
    from cxrview.image import find_images as find_images
    from cxrview.image import minmax_to_uint8 as minmax_to_uint8
    from cxrview.image import open_image as open_image
    from cxrview.image import read_radiograph as read_radiograph
    from cxrview.image import squash as squash
    from cxrview.records.answers import Answer as Answer
    from cxrview.records.answers import Answers as Answers
    from cxrview.records.answers import PoseAnswer as PoseAnswer
    from cxrview.records.answers import PoseAnswers as PoseAnswers
    from cxrview.records.calibration import Calibration as Calibration
    from cxrview.records.calibration import HeadCalibration as HeadCalibration
    from cxrview.records.card_about import CardAbout as CardAbout
    from cxrview.records.classification import Failure as Failure
    from cxrview.records.classification import Instance as Instance
    from cxrview.records.classification import Outcome as Outcome
    from cxrview.records.classification import Prediction as Prediction
    from cxrview.records.classification import Radiograph as Radiograph
    from cxrview.records.model_card import ModelCard as ModelCard
    from cxrview.records.risk_curve import Head as Head
    from cxrview.records.risk_curve import RiskCurve as RiskCurve
    from cxrview.results.result import LazyTable as LazyTable
    from cxrview.results.result import Result as Result
    from cxrview.results.summary import RunSummary as RunSummary
    from cxrview.terms import Agreement as Agreement
    from cxrview.terms import Decision as Decision
    from cxrview.terms import Device as Device
    from cxrview.terms import Precision as Precision
    from cxrview.terms import Projection as Projection
    from cxrview.terms import View as View

__version__: str

_MODULES = {
    "Agreement": "terms",
    "Answer": "records.answers",
    "Answers": "records.answers",
    "Backend": "classify.backend",
    "Calibration": "records.calibration",
    "CannotOpen": "errors",
    "CannotSortFolder": "errors",
    "CannotWrite": "errors",
    "CardAbout": "records.card_about",
    "ClassifyOptions": "classify.options",
    "CorruptHeader": "errors",
    "CorruptPixels": "errors",
    "CxrviewError": "errors",
    "Decision": "terms",
    "DecoderCrashed": "errors",
    "Device": "terms",
    "EmptyFile": "errors",
    "Explanation": "classify.explain",
    "Failure": "records.classification",
    "Head": "records.risk_curve",
    "HeadCalibration": "records.calibration",
    "ImageFile": "image",
    "InferenceError": "errors",
    "InputUnavailable": "errors",
    "Inputs": "classify.inputs",
    "Instance": "records.classification",
    "InvalidModel": "errors",
    "LazyTable": "results.result",
    "Limits": "image",
    "Model": "classify.model",
    "ModelCard": "records.model_card",
    "NO_REVIEW": "classify.options",
    "NestedTooDeep": "errors",
    "NoPixelData": "errors",
    "NoSuchDevice": "errors",
    "NotAFile": "errors",
    "NotAnImage": "errors",
    "OutOfMemory": "errors",
    "Outcome": "records.classification",
    "PoseAnswer": "records.answers",
    "PoseAnswers": "records.answers",
    "Precision": "terms",
    "Prediction": "records.classification",
    "Projection": "terms",
    "Promise": "classify.promise",
    "Radiograph": "records.classification",
    "ReadOptions": "image",
    "Result": "results.result",
    "RiskCurve": "records.risk_curve",
    "RunStopped": "errors",
    "RunSummary": "results.summary",
    "TimedOut": "errors",
    "TooLarge": "errors",
    "Truncated": "errors",
    "UnreadableImage": "errors",
    "Unsupported": "errors",
    "UsageError": "errors",
    "View": "terms",
    "WorkerStartError": "errors",
    "classify": "api",
    "explain": "classify.explain",
    "find_images": "image",
    "iter_classify": "api",
    "load_model": "classify.model",
    "minmax_to_uint8": "image",
    "open_image": "image",
    "read_calibration": "classify.calibration_file",
    "read_radiograph": "image",
    "read_result": "api",
    "squash": "image",
}
"""Where each public name is; imported when it is first used, so that `import cxrview` is fast."""

__all__ = ["__version__", *_MODULES]

# The package `cxrview.classify` has the name of a function. Python binds a package to its parent
# once, when it is imported: done here, no later import can hide the function.
import_module("cxrview.classify")
del globals()["classify"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("cxrview")
    if name not in _MODULES:
        raise AttributeError(f"module 'cxrview' has no attribute {name!r}")
    return getattr(import_module(f"cxrview.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
