"""How many cores, GPUs and hours an archive needs: measures a machine, and computes a plan."""
