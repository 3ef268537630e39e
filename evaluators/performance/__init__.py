"""Rules of the performance efficiency pillar, one module per subject."""
