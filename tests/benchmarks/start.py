"""CPU seconds until the command line answers: `python tests/benchmarks/start.py`."""

import os
import subprocess
import sys
from statistics import median

# As installed: with bytecode, which the first run writes.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
COMMANDS = (["--help"], ["rules", "list"], ["rules", "show", "SEC-003"], ["policy"], ["schema", "findings"])


def cpu_seconds(arguments: list[str]) -> float:
    """User and system time of one run."""
    command = [sys.executable, "-m", "auditor", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    _, _, used = os.wait4(process.pid, 0)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    for arguments in COMMANDS:
        cpu_seconds(arguments)
        runs = sorted(cpu_seconds(arguments) for _ in range(7))
        print(
            f"auditor {' '.join(arguments):<22} {median(runs):.2f} s of CPU (best {runs[0]:.2f}, worst {runs[-1]:.2f})"
        )
