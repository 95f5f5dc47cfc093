"""Landlock (landlock(7)): this process, and what it starts, may use the named files only, and no others' network.

Spoken to by its system calls, whose numbers are the same on all machines. A kernel knows some version of it (its ABI),
or none.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable
from typing import Final

LIBC: Final = ctypes.CDLL(None, use_errno=True)
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ASK_VERSION, PATH_BENEATH = 1, 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_FILE, MAKE_DIR, MAKE_REG, REFER, TRUNCATE, IOCTL = 1 << 5, 1 << 7, 1 << 8, 1 << 13, 1 << 14, 1 << 15
ALL_OF_FIRST: Final = (1 << 13) - 1
KNOWN_SINCE: Final = {2: REFER, 3: TRUNCATE, 5: IOCTL}  # by ABI, besides those of the first
OF_FILES: Final = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL
TCP: Final = 3  # bind and connect
SCOPES: Final = 3  # no signals, and no abstract sockets, of processes beyond this one and what it starts
NETWORK_SINCE, SCOPES_SINCE = 4, 6

READ: Final = READ_FILE | READ_DIR
RUN: Final = READ | EXECUTE
FILL: Final = READ_FILE | WRITE_FILE
CHANGE: Final = ALL_OF_FIRST | REFER | TRUNCATE
ADD: Final = READ | MAKE_DIR | MAKE_REG | REFER  # what is there already stays as it is
ADD_BY_COPY: Final = ADD | WRITE_FILE | REMOVE_FILE | TRUNCATE

Rule = tuple[str, int]  # a file, or a folder and all below it; and what may be done there


def abi() -> int:
    """Return which version the kernel knows; 0 for none."""
    return max(int(LIBC.syscall(CREATE_RULESET, None, 0, ASK_VERSION)), 0)


def restrict(rules: Iterable[Rule], *, version: int | None = None) -> None:
    """Allow what the rules say and nothing else, for ever; raises OSError. No new privileges must have been said."""
    version = abi() if version is None else version
    if version < 1:
        raise OSError(errno.ENOSYS, "this kernel has no Landlock")
    handled = ALL_OF_FIRST | sum(right for since, right in KNOWN_SINCE.items() if since <= version)
    fields = [handled]
    if version >= NETWORK_SINCE:
        fields.append(TCP)
    if version >= SCOPES_SINCE:
        fields.append(SCOPES)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = _call_kernel(CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for path, rights in rules:
            _allow(ruleset, path, rights & handled)
        _call_kernel(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        there = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no rule
    try:
        if not stat.S_ISDIR(os.fstat(there).st_mode):
            rights &= OF_FILES
        _call_kernel(ADD_RULE, ruleset, PATH_BENEATH, struct.pack("=Qi", rights, there), 0)
    finally:
        os.close(there)


def _call_kernel(number: int, *arguments: object) -> int:
    result = int(LIBC.syscall(number, *arguments))
    if result < 0:
        failure = ctypes.get_errno()
        raise OSError(failure, os.strerror(failure))
    return result
