"""What can go wrong around a program: its disk, its clock, its memory."""

import os
import re
import subprocess
from pathlib import Path

from support import wait_until


class SmallDisk:
    """A file system in memory at a folder, which can be filled to the last byte. Raises OSError where nothing can be mounted."""

    def __init__(self, folder: Path, mib: int):
        self._folder, self._filler = folder, folder / "filler"
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OSError(done.stderr.strip())

    def fill(self) -> None:
        with open(self._filler, "wb", buffering=0) as out:
            for size in (1 << 20, 1 << 12):
                try:
                    while out.write(bytes(size)) == size:
                        pass
                except OSError:
                    pass

    def free(self) -> None:
        self._filler.unlink()

    def close(self) -> None:
        subprocess.run(["umount", str(self._folder)], check=True)


def disk_of_broker(folder: Path, mib: int) -> SmallDisk:
    """Where the records of a broker of scripts/kafka are that has this folder; it is made. Raises OSError as SmallDisk does."""
    folder.mkdir()
    (folder / ".flowcast-kafka").touch()
    return SmallDisk(folder / "log", mib)


class OddClock:
    """A wall clock that can be set, of the programs that are started with its environment."""

    def __init__(self, folder: Path):
        library, self._offset = folder / "clock_shim.so", folder / "offset"
        source = Path(__file__).with_name("clock_shim.c")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_OFFSET_FILE": str(self._offset)}
        self.jump_to(0)

    def jump_to(self, seconds: int) -> None:
        """How far it is off from now on."""
        written = self._offset.with_suffix(".new")
        written.write_text(str(seconds), encoding="ascii")
        written.replace(self._offset)


class MemoryLimit:
    """A control group, of version 2 or 1, with a limit and no swap to go to.

    What a program has allocated before it joins a group is not counted there: it starts within.
    """

    ROOT = Path("/sys/fs/cgroup")

    def __init__(self, mib: int):
        second = (self.ROOT / "cgroup.controllers").exists()
        if second:
            (self.ROOT / "cgroup.subtree_control").write_text("+memory", encoding="ascii")
        self._folder = (self.ROOT if second else self.ROOT / "memory") / f"flowcast-test-{os.getpid()}"
        limit, self._events = ("memory.max", "memory.events") if second else ("memory.limit_in_bytes", "memory.oom_control")
        self._folder.mkdir()
        (self._folder / limit).write_text(str(mib << 20), encoding="ascii")

    def command(self, *command) -> list:
        return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', self._folder / "cgroup.procs", *command]

    def kills(self) -> int:
        """By the kernel, for want of memory."""
        return int(re.search(r"^oom_kill (\d+)", (self._folder / self._events).read_text(encoding="ascii"), re.MULTILINE)[1])

    def close(self) -> None:
        wait_until(lambda: not (self._folder / "cgroup.procs").read_text(encoding="ascii"), 10, "the end of what is in the group")
        self._folder.rmdir()
