"""Examples for the help of commands whose docstring has none; a test parses each."""

EXAMPLES = {
    "classify": "cxrview classify /archive --out views.parquet",
    "plan": "cxrview plan --images 1e8 --syntax j2k=0.7,native=0.3 --cores 512",
    "concat": "cxrview concat night-1.parquet night-2.parquet --out views.parquet",
    "merge": "cxrview merge views.parquet study.db --out labelled.parquet",
    "calibrate": (
        "cxrview calibrate views.parquet --labels study.db --max-error 0.001 --out calibration.json"
    ),
    "audit": "cxrview audit views.parquet --out audit.html",
    "writeback": "cxrview writeback views.parquet --out corrected",
    "serve run": "cxrview serve run serve.toml",
    "serve counts": "cxrview serve counts serve.toml",
    "serve retry": "cxrview serve retry serve.toml",
    "serve mercure": "cxrview serve mercure in out",
    "explain": "cxrview explain film.dcm",
    "annotate create": (
        "cxrview annotate create study.db --from views.parquet --reader anna --reader ben"
    ),
    "annotate reader": "cxrview annotate reader study.db anna --link",
    "annotate serve": "cxrview annotate serve study.db",
    "annotate import": "cxrview annotate import study.db readings.csv",
    "annotate imports": "cxrview annotate imports study.db",
    "annotate export": "cxrview annotate export study.db --out labels.csv",
    "annotate agree": "cxrview annotate agree study.db",
    "annotate status": "cxrview annotate status study.db",
    "annotate verify": "cxrview annotate verify study.db",
    "prepare": "cxrview prepare labels.csv --out store",
    "split": "cxrview split store --out split.csv",
    "augment": "cxrview augment film.dcm --sheet variants.png",
    "train": "cxrview train labels.csv --published bvlc-googlenet.npz --out model",
    "pretrain": "cxrview pretrain colour --published bvlc-googlenet.npz --out pre-trained/colour",
    "finetune": (
        "cxrview finetune store --recipe fc-original --split split.csv "
        "--pre-trained pre-trained/colour --out candidates/colour/fc-original"
    ),
    "quantise": "cxrview quantise model labels.csv",
    "fast-model prepare": "cxrview fast-model prepare labels.csv --out pictures",
    "fast-model train": "cxrview fast-model train pictures --out training",
    "fast-model assess": "cxrview fast-model assess training pictures",
    "fast-model release": (
        "cxrview fast-model release training pictures --left-out without-nih --out page"
    ),
    "choose": "cxrview choose candidates --out model",
    "assess model": "cxrview assess model store --split split.csv --model default --out assessment",
    "assess archive": "cxrview assess archive views.parquet --labels study.db",
    "assess recipe": (
        "cxrview assess recipe labels.csv --published bvlc-googlenet.npz --out left-out"
    ),
    "robustness figure": "cxrview robustness figure frontal.dcm lateral.dcm --out figure",
    "robustness table": "cxrview robustness table store --split split.csv --out robustness",
    "reproduce": "cxrview reproduce --scale smoke --out study",
    "phantom": "cxrview phantom archive --patients 6",
}
"""By the words of the command after `cxrview`."""
