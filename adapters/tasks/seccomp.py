"""A filter of system calls (seccomp(2)): no sockets, no look into other processes, no way around Landlock.

Landlock does not ask who may close, open or mark a file that cannot be read (chmod, chown, extended attributes), nor
who may limit another process of the same user; and what leaves its group of processes outlives the task.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
from typing import Final, NamedTuple

from adapters.tasks.landlock import LIBC

SET_FILTER: Final = 1
KEEP_SPECULATION: Final = 4  # else older kernels make the process slower
LOAD, AND, EQUAL, AT_LEAST, RETURN = (
    0x20,
    0x54,
    0x15,
    0x35,
    0x06,
)  # instructions of classic BPF: words of `struct seccomp_data`
NUMBER_AT, MACHINE_AT, ARGUMENTS_AT = 0, 4, 16  # an argument has 8 bytes, here the lower ones first
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
OTHER_ABI: Final = 0x40000000  # x32's numbers on x86-64 begin here

NAMES: Final = (  # besides the socket; pairs of connected sockets and pipes stay
    *("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "perf_event_open", "userfaultfd"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),  # its sockets and files pass no other filter
    *("bpf", "add_key", "request_key", "keyctl", "unshare", "setns", "open_by_handle_at"),
    *("setsid", "setpgid"),  # the end of the task is that of its group
    *("shmget", "msgget", "semget", "mq_open"),  # what is made so stays when the task is gone
    *("fchmodat", "fchmodat2", "fchownat", "setxattr", "lsetxattr", "setxattrat"),  # by path; files it may open it may
    *("removexattr", "lremovexattr", "removexattrat"),
)
OLD_NAMES: Final = ("chmod", "chown", "lchown")  # not on younger machines


class Machine(NamedTuple):
    """What a kind of processor is called by the kernel, and its numbers of the calls; `numbers` are of `NAMES`."""

    audit: int
    seccomp: int
    socket: int
    socketpair: int
    prlimit: int
    numbers: tuple[int, ...]


class Case(NamedTuple):
    """A call that is allowed where an argument, as far as `mask` goes, has a value."""

    number: int
    argument: int
    mask: int
    value: int


MACHINES: Final = {
    "x86_64": Machine(
        *(0xC000003E, 317, 41, 53, 302),
        (
            *(101, 310, 311, 438, 298, 323, 425, 426, 427, 321, 248, 249, 250, 272, 308, 304),
            *(112, 109, 29, 68, 64, 240, 268, 452, 260, 188, 189, 463, 197, 198, 466),
            *(90, 92, 94),  # `OLD_NAMES`
        ),
    ),
    "aarch64": Machine(
        *(0xC00000B7, 277, 198, 199, 261),
        (
            *(117, 270, 271, 438, 241, 282, 425, 426, 427, 280, 217, 218, 219, 97, 268, 265),
            *(157, 154, 194, 186, 190, 180, 53, 452, 54, 5, 6, 463, 14, 15, 466),
        ),
    ),
}
OWN_PROCESS: Final = 0
KINDS_OF_SOCKETS: Final = 0xF  # beside flags


def is_known() -> bool:
    """Tell whether there is a filter for this machine, on a kernel that takes filters."""
    if platform.machine() not in MACHINES:
        return False
    # Asked with no filter: a kernel that has filters finds fault with that, another one with the question.
    LIBC.syscall(MACHINES[platform.machine()].seccomp, SET_FILTER, KEEP_SPECULATION, None)
    return ctypes.get_errno() == errno.EFAULT


def forbid_calls() -> None:
    """Refuse these calls to this process and what it starts, for ever; raises OSError. As `landlock.restrict`."""
    machine = MACHINES.get(platform.machine())
    if machine is None:
        raise OSError(errno.ENOSYS, f"no filter of system calls is known for {platform.machine()}")
    cases = [
        Case(machine.prlimit, 0, 0xFFFFFFFF, OWN_PROCESS),
        Case(machine.socketpair, 1, KINDS_OF_SOCKETS, socket.SOCK_STREAM),  # a pair of others can be sent elsewhere
    ]
    program = _program(machine, (machine.socket, *machine.numbers), cases)
    code = ctypes.create_string_buffer(program)
    described = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    if LIBC.syscall(machine.seccomp, SET_FILTER, KEEP_SPECULATION, described) < 0:
        failure = ctypes.get_errno()
        raise OSError(failure, os.strerror(failure))


def _program(machine: Machine, numbers: tuple[int, ...], cases: list[Case]) -> bytes:
    allowed, refused = (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE | errno.EACCES)
    lines = [
        (LOAD, 0, 0, MACHINE_AT),
        (EQUAL, 1, 0, machine.audit),
        refused,  # calls of another kind of processor have other numbers
        (LOAD, 0, 0, NUMBER_AT),
        (AT_LEAST, 0, 1, OTHER_ABI),
        refused,
    ]
    for number, argument, mask, value in cases:
        lines += [
            (EQUAL, 0, 5, number),
            (LOAD, 0, 0, ARGUMENTS_AT + 8 * argument),
            (AND, 0, 0, mask),
            (EQUAL, 0, 1, value),
            allowed,
            refused,
        ]
    lines += [(EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)]
    lines += [allowed, refused]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
