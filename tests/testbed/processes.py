"""Starting programs inside a namespace and ending them; only ever those that were started here."""

import contextlib
import os
import signal
import subprocess

PATIENCE_S = 5


def start_in(namespace, *command, **options):
    """The program leads a process group of its own, so that it can be ended with its children."""
    return subprocess.Popen(["ip", "netns", "exec", namespace, *map(str, command)],
                            **{"stdin": subprocess.DEVNULL, "start_new_session": True, **options})


def end(processes):
    """Asks all of them to end, waits a little, and kills what is left of their groups."""
    for process in processes:
        process.terminate()
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def kill_all_in(namespace):
    """Whatever runs in the namespace, such as a server's sessions that have a group of their own."""
    listed = subprocess.run(["ip", "netns", "pids", namespace], check=True, capture_output=True, text=True)
    for pid in map(int, listed.stdout.split()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
