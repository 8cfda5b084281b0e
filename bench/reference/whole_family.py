#!/usr/bin/env python3
"""Runs a program and waits for its orphans as well, so that whoever waits for this one learns what all of them used.

usage: whole_family.py PROGRAM ARGUMENTS...

Exit code of PROGRAM. Linux only: it becomes the parent of what PROGRAM leaves behind (PR_SET_CHILD_SUBREAPER).
"""
import ctypes, os, subprocess, sys

PR_SET_CHILD_SUBREAPER = 36

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    program = subprocess.Popen(sys.argv[1:])
    code = None
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            break
        if pid == program.pid:
            code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)
