"""What is judged: rules over views, verdicts, findings and scores."""
