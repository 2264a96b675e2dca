"""The files of deploy/ are valid: configurations, systemd unit, containers, compose file."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cxrview.service.configuration import DestinationKind, read_configuration
from cxrview.service.mercure import read_settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
CONTAINERFILES = sorted(DEPLOY.rglob("Containerfile"))


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.toml")), ids=lambda p: p.parent.name)
def test_each_configuration_is_valid(path):
    found = read_configuration(path)

    assert found.destinations
    assert set(found.rules[-1].decision) == set()  # the last rule takes everything


def test_the_configuration_of_compose_fits_the_compose_file():
    compose = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
    found = read_configuration(DEPLOY / "compose" / "serve.toml")

    service = compose["services"]["cxrview"]
    published = {one.rpartition(":")[2] for one in service["ports"]}
    assert found.http and found.dicom
    assert published == {str(found.dicom.port), str(found.http.port)}
    secrets = {f"/run/secrets/{name}" for name in service["secrets"]}
    archive = found.destinations["archive"]
    assert archive.kind is DestinationKind.DICOMWEB
    assert {str(found.http.token_file), str(archive.password_file)} == secrets
    assert archive.url.startswith("http://orthanc:8042/")
    mounted = {one.split(":")[1]: one.split(":")[0] for one in service["volumes"]}
    assert mounted[str(found.queue.folder.parent)] in compose["volumes"]
    for one in service["volumes"] + compose["services"]["orthanc"]["volumes"]:
        source = one.split(":")[0]
        assert source in compose["volumes"] or (DEPLOY / "compose" / source).exists()


KNOWN = {
    "": {"services", "volumes", "secrets"},
    "service": {
        *("build", "cap_drop", "depends_on", "environment", "image", "mem_limit", "ports"),
        *("read_only", "restart", "secrets", "security_opt", "stop_grace_period", "tmpfs"),
        "volumes",
    },
    "build": {"context", "dockerfile"},
}
"""Keys of the Compose specification that are used; a misspelt key is not among them."""


def test_the_compose_file_has_known_keys_and_its_names_exist():
    compose = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())

    assert set(compose) <= KNOWN[""]
    for service in compose["services"].values():
        assert set(service) <= KNOWN["service"]
        assert set(service.get("depends_on", ())) <= set(compose["services"])
        for one in service.get("secrets", ()):
            assert (one if isinstance(one, str) else one["source"]) in compose["secrets"]
        if build := service.get("build"):
            assert set(build) <= KNOWN["build"]
            context = (DEPLOY / "compose" / build["context"]).resolve()
            assert (context / build["dockerfile"]).is_file()
    assert json.loads((DEPLOY / "compose" / "orthanc.json").read_text())["AuthenticationEnabled"]


@pytest.mark.parametrize("path", CONTAINERFILES, ids=lambda p: p.parent.name)
def test_each_containerfile_copies_what_exists(path):
    text = path.read_text()

    for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE):
        *sources, _ = (word for word in line.split() if not word.startswith("--"))
        assert all((ROOT / one).exists() for one in sources)
    for image in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
        assert image == "${BASE}" or re.search(r":\d+\.\d+\.\d+", image)  # pinned


def test_the_container_does_not_run_as_root():
    users = re.findall(r"^USER (.*)$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)

    assert users and users[-1] not in ("root", "0")


def test_the_unit_is_valid_for_systemd(tmp_path):
    """`systemd-analyze verify` exits with 0 on unknown keys, and names them on standard error."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze: apt-get install systemd")
    text = (DEPLOY / "cxrview.service").read_text()
    unit, program = tmp_path / "cxrview.service", tmp_path / "cxrview"
    program.symlink_to(sys.executable)  # whose own path may have a space
    text = text.replace("/opt/cxrview/bin/cxrview", str(program))
    unit.write_text(text)

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True
    )

    # A container may lack units of the system, which others complain about.
    complaints = [line for line in done.stderr.splitlines() if "cxrview.service" in line]
    assert (done.returncode, complaints) == (0, [])
    unit.write_text(text.replace("MemoryMax", "MemoryMaximum"))
    again = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True
    )
    assert "MemoryMaximum" in again.stderr


def test_the_settings_of_the_mercure_example_are_known(tmp_path):
    example = json.loads((DEPLOY / "mercure" / "module.json").read_text())
    module = example["modules"]["cxrview"]
    task = {"process": {"module_name": "cxrview", "settings": module["settings"]}}
    (tmp_path / "task.json").write_text(json.dumps(task))

    assert read_settings(tmp_path / "task.json").send == ("corrected", "sr")
    assert example["rules"]["radiographs"]["processing_module"] in example["modules"]


def test_the_monai_operator_calls_functions_that_exist():
    """MONAI Deploy's SDK needs CUDA libraries, so it is not installed for tests."""
    import importlib

    tree = ast.parse((DEPLOY / "monai" / "app.py").read_text())
    ours = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("cxrview")
    ]
    assert ours
    for node in ours:
        module = importlib.import_module(str(node.module))
        assert all(hasattr(module, one.name) for one in node.names)
