"""`python -m cxrview` is the command `cxrview`."""

from cxrview.cli.entry import run

if __name__ == "__main__":
    run()
