"""`python -m cxrview` is the command `cxrview`."""

from cxrview.cli.main import run

if __name__ == "__main__":
    run()
