"""A second account in which everything is as it should be: no rule finds anything."""
