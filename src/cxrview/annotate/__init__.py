"""Two readers, one truth: who reads what, where they differ, how far they agree. All pure."""
