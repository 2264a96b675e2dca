"""`python -m cxrview` is the command `cxrview`."""

from cxrview.cli.start import run

if __name__ == "__main__":
    run()
