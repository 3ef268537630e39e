"""Rules of the operational excellence pillar, one module per subject."""
