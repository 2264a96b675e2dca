"""The files of deploy/cluster are valid for Ray, KubeRay and Slurm, and call a command that exists.

deploy/cluster/rayjob.yaml was also checked against the complete resource definition of KubeRay 1.7
(helm-chart/kuberay-operator/crds/ray.io_rayjobs.yaml), which is too large to be copied here.
"""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from cxrview.cli.main import app

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "cluster"
RAYJOB, SLURM = DEPLOY / "rayjob.yaml", DEPLOY / "slurm.sh"
RAY_CLUSTER, CONTAINERFILE = DEPLOY / "ray-cluster.yaml", DEPLOY / "Containerfile"

TEXT, NUMBER, SWITCH, ANY = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {}


def record(required: str, **properties: object) -> dict[str, object]:
    """JSON schema of an object without other keys."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required.split(),
        "properties": properties,
    }


START_PARAMETERS = {"type": "object", "additionalProperties": TEXT}
WORKER_GROUP = record(
    "groupName minReplicas maxReplicas template",
    groupName=TEXT,
    replicas=NUMBER,
    minReplicas=NUMBER,
    maxReplicas=NUMBER,
    rayStartParams=START_PARAMETERS,
    template=ANY,
)
RAY_CLUSTER_SPEC = record(
    "headGroupSpec",
    rayVersion=TEXT,
    headGroupSpec=record("template", rayStartParams=START_PARAMETERS, template=ANY),
    workerGroupSpecs={"type": "array", "items": WORKER_GROUP},
)
RAY_JOB = record(
    "apiVersion kind metadata spec",
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata=record("name", name=TEXT),
    spec=record(
        "entrypoint rayClusterSpec",
        entrypoint=TEXT,
        backoffLimit=NUMBER,
        shutdownAfterJobFinishes=SWITCH,
        ttlSecondsAfterFinished=NUMBER,
        rayClusterSpec=RAY_CLUSTER_SPEC,
    ),
)
"""The keys of KubeRay 1.7 that the file uses."""

SBATCH = {
    *("job-name", "nodes", "ntasks-per-node", "cpus-per-task", "mem", "time", "requeue"),
    *("signal", "output"),
}
"""Options of sbatch that the script uses; a misspelt one is not among them."""


@pytest.fixture(scope="module")
def ray_job():
    return yaml.safe_load(RAYJOB.read_text())


def pods(job) -> list[dict]:
    cluster = job["spec"]["rayClusterSpec"]
    return [one["template"] for one in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]


def test_the_ray_job_has_the_keys_of_kuberay(ray_job):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(RAY_JOB)

    assert [error.message for error in validator.iter_errors(ray_job)] == []
    ray_job["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["replica"] = 1
    assert [error.validator for error in validator.iter_errors(ray_job)] == ["additionalProperties"]
    del ray_job["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["replica"]


def test_the_pods_of_the_ray_job_are_valid_for_kubernetes(ray_job):
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    for template in pods(ray_job):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "ray"}, **template}
        version = kubernetes_validate.latest_version()

        kubernetes_validate.validate(pod, version, strict=True)

        pod["spec"]["containers"][0]["resource"] = {}
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(pod, version, strict=True)
        del pod["spec"]["containers"][0]["resource"]


def test_the_ray_cluster_is_valid_for_ray():
    """Ray itself completes and checks the file, as `ray up` does."""
    util = pytest.importorskip("ray.autoscaler._private.util")
    cluster = yaml.safe_load(RAY_CLUSTER.read_text())

    util.validate_config(util.prepare_config(dict(cluster)))

    with pytest.raises(Exception, match="head_start"):
        util.validate_config(util.prepare_config(cluster | {"head_start": []}))


def test_all_files_have_the_same_ray(ray_job):
    image = re.search(r"^FROM \S+:([\d.]+)-py311$", CONTAINERFILE.read_text(), re.MULTILINE)
    pinned = re.search(r"ray\[default\]==([\d.]+)", CONTAINERFILE.read_text())

    assert image and pinned
    assert image[1] == pinned[1] == ray_job["spec"]["rayClusterSpec"]["rayVersion"]


def test_the_slurm_script_has_known_options_and_no_error_of_syntax():
    text = SLURM.read_text()
    options = re.findall(r"^#SBATCH --([a-z-]+)", text, re.MULTILINE)

    assert len(options) == len(re.findall("^#SBATCH", text, re.MULTILINE))
    assert set(options) == SBATCH
    assert subprocess.run(["bash", "-n", SLURM]).returncode == 0
    # sbatch reads options only above the first command.
    assert text.index("set -euo") > text.rindex("#SBATCH")
    if shutil.which("shellcheck"):
        assert subprocess.run(["shellcheck", SLURM]).returncode == 0


def test_the_slurm_script_needs_archive_and_result():
    done = subprocess.run(["bash", SLURM], capture_output=True, text=True)

    assert done.returncode != 0
    assert "sbatch slurm.sh ARCHIVE RESULT/" in done.stderr


@pytest.fixture
def cluster_programs(tmp_path):
    """An environment in which srun starts one task, and the others write how they were called."""
    programs = tmp_path / "env" / "bin"
    programs.mkdir(parents=True)
    calls = tmp_path / "calls"
    wait_for_start = f'until grep -q "^ray start" {calls}; do sleep 0.1; done'
    for name, does in (
        ("srun", 'export SLURM_PROCID=0; exec "$@"'),
        ("ray", f'if [ "$1" = start ]; then exec sleep 60; fi; {wait_for_start}'),
        ("cxrview", "exit 3"),
        ("hostname", "echo 10.0.0.5 fe80::1"),
    ):
        (programs / name).write_text(f'#!/bin/bash\necho {name} "$@" >> {calls}\n{does}\n')
        (programs / name).chmod(0o755)
    (programs / "activate").write_text(f'PATH="{programs}:$PATH"\n')
    return programs.parent, calls


def test_the_slurm_script_starts_ray_and_the_command(cluster_programs):
    environment, calls = cluster_programs
    variables = {"CXRVIEW_ENV": str(environment), "SLURM_JOB_ID": "70123"}

    done = subprocess.run(
        ["bash", SLURM, "s3://archive/", "views/"],
        env=os.environ | variables | {"SLURM_CPUS_PER_TASK": "16"},
        timeout=30,
    )

    lines = calls.read_text().splitlines()
    assert done.returncode == 3  # that of the command
    assert (
        "ray start --block --head --node-ip-address=10.0.0.5 --port=20123 "
        "--ray-client-server-port=20124 --num-cpus=16" in lines
    )
    assert "ray health-check --address 10.0.0.5:20123" in lines
    assert (
        "cxrview classify s3://archive/ --cluster ray://10.0.0.5:20124 --out views/ --resume"
        in lines
    )


def commands() -> list[list[str]]:
    """The words of each command line `cxrview classify` in the files."""
    job = yaml.safe_load(RAYJOB.read_text())["spec"]["entrypoint"]
    slurm = SLURM.read_text()
    found = [job]
    # On one line: a shell runs each line of a quoted text as a separate command.
    found += re.findall(r"'(cxrview classify [^'\n]*)'", RAY_CLUSTER.read_text())
    found += re.findall(r"^(cxrview classify .*) &$", slurm, re.MULTILINE)
    return [shlex.split(line) for line in found]


@pytest.mark.parametrize("words", commands(), ids=("rayjob", "ray-cluster", "slurm"))
def test_each_file_calls_a_command_that_exists(words):
    from typer.main import get_command

    classify = get_command(app).commands["classify"]
    known = {name for parameter in classify.params for name in parameter.opts}
    used = {word for word in words if word.startswith("--")}

    assert words[:2] == ["cxrview", "classify"]
    assert used == {"--cluster", "--out", "--resume"}
    assert used <= known
    assert words[words.index("--cluster") + 1].startswith("ray://")
