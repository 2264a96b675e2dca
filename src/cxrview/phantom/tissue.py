"""What the drawn bodies are made of: linear attenuation in 1/mm.

Near the mean energy behind a chest at 120 kVp, about 70 keV, from the mass attenuation
coefficients of NIST (XCOM) and usual densities, rounded. Ours: one energy stands for the beam.
"""

SOFT = 0.0195
"""Muscle, blood and abdominal organs, about 1.05 g/cm3."""
FAT = 0.0176
LUNG = 0.0052
"""Inflated lung, about 0.27 g/cm3."""
CORTEX = 0.048
"""The hard shell of bones."""
SPONGY = 0.031
"""The inside of vertebrae and of the ends of long bones."""
MARROW = 0.023
AIR = 0.0
