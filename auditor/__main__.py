"""`python -m auditor`: the command line without its script."""

from auditor.cli import main

if __name__ == "__main__":
    main()
