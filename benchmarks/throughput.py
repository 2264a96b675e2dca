"""Throughput from files to result rows, against two baselines and the limit of the machine.

Usage: python benchmarks/throughput.py [--corpus FOLDER] [--out FOLDER] [--images N] [--rounds N]
                                       [--seconds S] [--formats NAME,...]

Draws a corpus (benchmarks/corpus.py) in FOLDER, .bench/corpus by default, unless it exists. Then
measures, in rounds: `cxrview classify` on each format and on all mixed, and both baselines
(benchmarks/baseline.py) on all mixed. A run of the command takes about S seconds by its bound and
is measured from its start to the table on disk; the baselines are measured without loading. Three
formats are also classified by `--model googlenet`, right after the default, `fast`. Prints
medians of the rounds, the goals and whether they are met; writes throughput.json and
throughput.png.

The bound is cores / (decode + shrink + infer core-seconds per image): the rate if reading files,
start-up and communication took no time. Each stage is measured on one core (benchmarks/stages.py)
immediately before and after a run, since the speed of machines varies. `busy` is that share of the
processor time spent: unlike rates, it is not affected by other programs.
"""

import argparse
import json
import platform
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import measured
import stages
from corpus import FORMATS, SMALL_JPEG, each_file, link_corpus, make_corpus, print_ratios, ratios
from cxrview.classify.model import load_model
from cxrview.workers.cores import available_cores

Stages = dict[str, float]
"""Core-seconds per image, by stage."""
HERE = Path(__file__).parent
MIXED = "mixed"
OVER_GOOGLENET = {"native": 1.6, SMALL_JPEG: 2.0, MIXED: 1.2}
"""Goals: how many times the rate of `--model googlenet` the default has."""
MIN_IMAGES = 16
PART_OF_BOUND = 0.85
MIB = 1 << 20


def main() -> None:
    """Measure, print, write."""
    wishes = _wishes()
    corpus = make_corpus(wishes.corpus, wishes.images)
    print_ratios(corpus)
    formats = wishes.formats or [*FORMATS, SMALL_JPEG, MIXED]
    corpus[MIXED] = list(each_file(corpus))
    runs: dict[str, list[measured.Cost]] = {name: [] for name in formats}
    moments: dict[str, list[Stages]] = {name: [] for name in formats}
    baselines: dict[str, list[dict[str, Any]]] = {"one-by-one": [], "loader": []}
    counts: dict[str, int] = {}
    by_googlenet: dict[str, list[measured.Cost]] = {}
    for number in range(wishes.rounds):
        for name in formats:
            moments[name].append(measure_stages(corpus, name))
            if name not in counts:
                counts[name] = max(MIN_IMAGES, round(wishes.seconds * bound_of(moments[name])))
            runs[name].append(run_ours(corpus[name], counts[name]))
            if name in OVER_GOOGLENET:
                slower = run_ours(corpus[name], counts[name], ["--model", "googlenet"])
                by_googlenet.setdefault(name, []).append(slower)
            moments[name].append(measure_stages(corpus, name))
            print(
                f"round {number + 1}: {name} {counts[name] / runs[name][-1].seconds:.1f}/s "
                f"of {bound_of(moments[name][-2:]):.1f}",
                flush=True,
            )
        if MIXED in formats:
            for way, results in baselines.items():
                results.append(run_baseline(way, corpus[MIXED]))
                rate = results[-1]["files"] / results[-1]["seconds"]
                print(f"round {number + 1}: baseline {way} {rate:.1f}/s", flush=True)
    report = make_report(corpus, moments, runs, counts, baselines, by_googlenet)
    print_report(report)
    wishes.out.mkdir(parents=True, exist_ok=True)
    (wishes.out / "throughput.json").write_text(json.dumps(report, indent=1) + "\n")
    draw(report, wishes.out / "throughput.png")


def measure_stages(corpus: dict[str, list[Path]], name: str) -> Stages:
    """Measure the current core-seconds per image of each stage."""
    model = load_model()
    side = model.card.input_side
    infer = stages.measure_inference(model, stages.squashed(corpus["native"], side))
    found = stages.measure_reading(corpus[name], side)
    return {
        "read": found.read,
        "decode": found.decode,
        "shrink": found.shrink,
        "decode + shrink": found.decode_and_shrink,
        "infer": infer,
    }


def between(moments: list[Stages]) -> Stages:
    """Average what was measured before and after runs."""
    return {key: statistics.mean(one[key] for one in moments) for key in moments[0]}


def bound_of(moments: list[Stages]) -> float:
    """Images per second if only decoding, shrinking and the model took time."""
    one = between(moments)
    return available_cores() / (one["decode + shrink"] + one["infer"])


def run_ours(files: list[Path], count: int, options: Sequence[str] = ()) -> measured.Cost:
    """Run the command once on so many files."""
    with tempfile.TemporaryDirectory(dir=files[0].parent.parent) as folder:
        films = (
            Path(folder) / "films"
        )  # next to the corpus, since hard links must be on the same disk
        link_corpus(files, films, count)
        out = Path(folder) / "views.parquet"
        return measured.classify(str(films), out, ["--no-skip", *options])


def run_baseline(way: str, files: list[Path]) -> dict[str, Any]:
    """Run a baseline once on every file."""
    cost = measured.run([str(HERE / "baseline.py"), way, *map(str, files)])
    result: dict[str, Any] = json.loads(cost.output)
    return result | {"peak_bytes": cost.peak_bytes}


def make_report(
    corpus: dict[str, list[Path]],
    moments: dict[str, list[Stages]],
    runs: dict[str, list[measured.Cost]],
    counts: dict[str, int],
    baselines: dict[str, list[dict[str, Any]]],
    by_googlenet: dict[str, list[measured.Cost]],
) -> dict[str, Any]:
    """Compute the medians of the rounds by format; rates are images per second."""
    model = load_model()
    rows = {}
    for name, costs in runs.items():
        rate = counts[name] / statistics.median(cost.seconds for cost in costs)
        core = statistics.median(cost.core_seconds for cost in costs) / counts[name]
        one, bound = between(moments[name]), bound_of(moments[name])
        rows[name] = {
            "images": counts[name],
            "rate": rate,
            "bound": bound,
            "part_of_bound": rate / bound,
            "core_seconds": core,
            "busy": (one["decode + shrink"] + one["infer"]) / core,
            "peak_mib": max(cost.peak_bytes for cost in costs) / MIB,
            "stages_ms": {key: 1000 * value for key, value in one.items()},
        }
        if slower := by_googlenet.get(name):
            # Round by round, because the speed of the machine changes between rounds.
            rows[name]["over_googlenet"] = statistics.median(
                slow.seconds / cost.seconds for cost, slow in zip(costs, slower, strict=True)
            )
    report: dict[str, Any] = {
        "machine": {"cores": available_cores(), "processor": _processor()},
        "model": {"id": model.card.model_id, "backend": model.backend.name},
        "ratios": ratios({name: corpus[name] for name in FORMATS}),
        "ours": rows,
        "baselines": {},
    }
    for way, results in baselines.items():
        if results:
            rates = [one["files"] / one["seconds"] for one in results]
            report["baselines"][way] = {
                "rate": statistics.median(rates),
                "unread": results[0]["unread"],
                "peak_mib": max(one["peak_bytes"] for one in results) / MIB,
            }
    if results := baselines["one-by-one"]:
        report["baselines"]["one-by-one"]["rates"] = _rates_of_formats(results)
    report["goals"] = goals(report)
    return report


def _rates_of_formats(results: list[dict[str, Any]]) -> dict[str, float]:
    seconds: dict[str, list[float]] = {}
    for one in results:
        for file, took in one["seconds_of_each"].items():
            seconds.setdefault(Path(file).parent.name, []).append(took)
    return {name: 1 / statistics.mean(took) for name, took in seconds.items()}


def goals(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Give each goal with the measured value and whether it is met."""
    ours, baselines = report["ours"], report["baselines"]
    found = []

    def goal(name: str, value: float, least: float, other: bool = False) -> None:
        found.append({"goal": name, "value": value, "least": least, "met": value >= least or other})

    if MIXED in ours and baselines:
        for way, least in (("one-by-one", 15), ("loader", 6)):
            ratio = ours[MIXED]["rate"] / baselines[way]["rate"]
            goal(f"mixed, ours / baseline {way}", ratio, least)
    for name, least in (("native", 120), (SMALL_JPEG, 180)):
        if name in ours:
            near = ours[name]["part_of_bound"] >= PART_OF_BOUND
            what = f"{name}, images/s, or {PART_OF_BOUND} of the bound"
            goal(what, ours[name]["rate"], least, near)
    for name, least in OVER_GOOGLENET.items():
        if name in ours:
            goal(f"{name}, ours / --model googlenet", ours[name]["over_googlenet"], least)
    for name, row in ours.items():
        goal(f"{name}, part of the bound", row["part_of_bound"], PART_OF_BOUND)
    most = max(row["peak_mib"] for row in ours.values())
    found.append({"goal": "memory, MiB", "value": most, "most": 1024, "met": most < 1024})
    return found


def print_report(report: dict[str, Any]) -> None:
    """Print the tables."""
    machine, model = report["machine"], report["model"]
    print(f"\n{machine['cores']} cores of {machine['processor']}")
    print(f"{model['id']} by {model['backend']}")
    one_by_one = report["baselines"].get("one-by-one", {}).get("rates", {})
    heads = (("ours", 8), ("bound", 8), ("part", 7), ("busy", 7), ("baseline", 10), ("MiB", 7))
    print(f"\n{'images/s':18}" + "".join(f"{head:>{width}}" for head, width in heads))
    for name, row in report["ours"].items():
        slow = f"{one_by_one[name]:10.1f}" if name in one_by_one else f"{'-':>10}"
        print(
            f"{name:18}{row['rate']:8.1f}{row['bound']:8.1f}{row['part_of_bound']:7.2f}"
            f"{row['busy']:7.2f}{slow}{row['peak_mib']:7.0f}"
        )
    for way, row in report["baselines"].items():
        unread = f", without {', '.join(row['unread'])}" if row["unread"] else ""
        print(f"baseline {way}, mixed{unread}: {row['rate']:.1f}/s, {row['peak_mib']:.0f} MiB")
    names = ("read", "decode", "shrink", "decode + shrink", "infer")
    print(f"\n{'ms of one core':18}" + "".join(f"{name:>17}" for name in names))
    for name, row in report["ours"].items():
        print(f"{name:18}" + "".join(f"{row['stages_ms'][stage]:17.1f}" for stage in names))
    print(f"\n{'goal':52}{'measured':>10}{'wanted':>9}")
    for one in report["goals"]:
        wanted = f">= {one['least']:g}" if "least" in one else f"< {one['most']:g}"
        verdict = "met" if one["met"] else "not met"
        print(f"{one['goal']:52}{one['value']:10.2f}{wanted:>9}  {verdict}")


def draw(report: dict[str, Any], file: Path) -> None:
    """Draw rates by format on a logarithmic scale: ours, the bound, the baselines."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    ours, baselines = report["ours"], report["baselines"]
    names = list(ours)
    places = range(len(names))
    figure, axes = plt.subplots(figsize=(7, 0.32 * len(names) + 1.4), layout="constrained")
    rate = [ours[n]["rate"] for n in names]
    axes.plot(rate, places, "D", color="#0072B2", label="cxrview classify")
    bound = [ours[n]["bound"] for n in names]
    axes.plot(bound, places, "|", color="black", markersize=13, label="bound")
    rates = baselines.get("one-by-one", {}).get("rates", {}) | {
        MIXED: baselines.get("one-by-one", {}).get("rate")
    }
    shown = [(rates[n], k) for k, n in enumerate(names) if rates.get(n)]
    if shown:
        axes.plot(*zip(*shown, strict=True), "o", color="#D55E00", label="baseline")
    if "loader" in baselines and MIXED in ours:
        at = names.index(MIXED)
        axes.plot(
            [baselines["loader"]["rate"]], [at], "s", color="#E69F00", label="with DataLoader"
        )
    axes.set(xscale="log", xlabel="images a second", yticks=places, yticklabels=names)
    axes.set_xlim(left=1)
    axes.grid(axis="y", linewidth=0.5)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.invert_yaxis()
    figure.legend(loc="outside upper center", ncols=4, fontsize="small", frameon=False)
    figure.savefig(file, dpi=150)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, default=Path(".bench/corpus"))
    parser.add_argument("--out", type=Path, default=Path(".bench"))
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--formats", type=lambda text: text.split(","))
    return parser.parse_args()


if __name__ == "__main__":
    main()
