"""Peak memory of this process over a stretch of work (Linux)."""

from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def forget_peak() -> int | None:
    """Set the peak back to what is used now and return that in bytes; None where the kernel cannot."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return None
    return _field("VmRSS")


def peak() -> int:
    """Return the highest use since `forget_peak`, in bytes."""
    return _field("VmHWM")


def _field(name: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024
