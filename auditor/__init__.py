"""What people run: the command line, its settings and its outputs."""

__version__ = "0.1.0"
