"""Rules of the reliability pillar, one module per subject."""
