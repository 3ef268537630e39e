"""The pages: a template, a style sheet and a script, which make one file that needs nothing else."""
