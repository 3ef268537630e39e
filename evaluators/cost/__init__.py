"""Rules of the cost optimisation pillar, one module per subject."""
