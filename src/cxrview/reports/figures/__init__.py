"""The figures of the paper (section 7) and ours beside them, one file each."""
