"""cxrview as an operator and application of MONAI Deploy (monai-deploy-app-sdk 4.0).

python app.py -i FOLDER -o FOLDER: classifies every file below the first folder, and writes
corrected copies, and `result.json`, to the second.
"""

import json
from pathlib import Path
from typing import Any

from monai.deploy.conditions import CountCondition
from monai.deploy.core import AppContext, Application, Fragment, Operator, OperatorSpec

from cxrview.classify.model import load_model
from cxrview.service.mercure import ModuleSettings, write_products
from cxrview.service.records import Form


class CxrviewOperator(Operator):
    """Classifies DICOM files, and writes corrected copies, or reports beside the originals.

    Output `result`: the counts, and the decision on each file by name, as a dictionary.

    Args:
        fragment: that it belongs to.
        input_folder: with DICOM files, at any depth.
        output_folder: for what is written; it is created.
        send: `corrected` or `original`, and `sr`.
    """

    def __init__(
        self,
        fragment: Fragment,
        *args: Any,
        input_folder: Path,
        output_folder: Path,
        send: tuple[str, ...] = ("corrected",),
        **kwargs: Any,
    ) -> None:
        self._input, self._output = Path(input_folder), Path(output_folder)
        self._settings = ModuleSettings(send=tuple(Form(one) for one in send))
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """Name the output."""
        spec.output("result")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Classify all files, and write what is to be forwarded."""
        self._output.mkdir(parents=True, exist_ok=True)
        files = sorted(path for path in self._input.rglob("*") if path.is_file())
        named = {f"{number:06}-{path.name}": path for number, path in enumerate(files)}
        done = write_products(named, self._output, self._settings, load_model())
        op_output.emit(done, "result")


class ResultWriter(Operator):
    """Writes the input `result` to `result.json`.

    Args:
        fragment: that it belongs to.
        output_folder: for the file.
    """

    def __init__(self, fragment: Fragment, *args: Any, output_folder: Path, **kwargs: Any) -> None:
        self._output = Path(output_folder)
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """Name the input."""
        spec.input("result")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Write the file."""
        content = json.dumps(op_input.receive("result"), indent=2)
        (self._output / "result.json").write_text(content + "\n", encoding="utf-8")


class CxrviewApp(Application):
    """cxrview, then a file with its result."""

    def compose(self) -> None:
        """Connect the operators."""
        context: AppContext = Application.init_app_context(self.argv)
        folders = {
            "input_folder": Path(context.input_path),
            "output_folder": Path(context.output_path),
        }
        once = CountCondition(self, 1)
        classify = CxrviewOperator(self, once, name="cxrview", **folders)
        write = ResultWriter(self, output_folder=folders["output_folder"], name="result")
        self.add_flow(classify, write, {("result", "result")})


if __name__ == "__main__":
    CxrviewApp().run()
