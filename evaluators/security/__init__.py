"""Rules of the security pillar, one module per subject."""
