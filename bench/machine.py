"""What a process used, as the kernel counts it."""

import os
import pathlib

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid):
    """The process and all its descendants that live."""
    pids, found = [pid], []
    while pids:
        pid = pids.pop()
        try:
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                pids += [int(child) for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        found.append(pid)
    return found


def cpu_seconds(pid):
    """User and system time of the process, its living descendants and those it has waited for."""
    ticks = 0
    for member in family(pid):
        try:
            stat = pathlib.Path(f"/proc/{member}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        fields = stat[stat.rindex(")") + 2:].split()
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS


def bytes_written(pid):
    """Bytes that the process and its descendants had sent to the disk."""
    total = 0
    for member in family(pid):
        try:
            lines = pathlib.Path(f"/proc/{member}/io").read_text().splitlines()
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))
    return total


def resident_mib(pid):
    """Memory that the process and its descendants hold alone: the shared part is counted once."""
    total = 0
    for member in family(pid):
        try:
            text = pathlib.Path(f"/proc/{member}/smaps_rollup").read_text()
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024


def busy_share(before, after):
    """What share of all processors' time went to anything, and what share was stolen."""
    spent = [b - a for a, b in zip(before, after)]
    total = sum(spent) or 1
    idle = spent[3] + spent[4]
    return 1 - idle / total, spent[7] / total


def cpu_times():
    """The processors' time by kind, in ticks, since the machine started."""
    first = pathlib.Path("/proc/stat").read_text().splitlines()[0]
    return [int(field) for field in first.split()[1:9]]
