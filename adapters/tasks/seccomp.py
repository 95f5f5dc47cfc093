"""A filter of system calls (seccomp(2)): no sockets, no look into other processes, no way around Landlock."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from typing import Final, NamedTuple

from adapters.tasks.landlock import LIBC

SET_FILTER: Final = 1
KEEP_SPECULATION: Final = 4  # else older kernels make the process slower
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # instructions of classic BPF: words of `struct seccomp_data`
NUMBER_AT, MACHINE_AT = 0, 4
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
OTHER_ABI: Final = 0x40000000  # x32's numbers on x86-64 begin here

SOCKET: Final = "socket"
NAMES: Final = (  # besides the socket; pairs of sockets and pipes stay
    *("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "perf_event_open", "userfaultfd"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),  # its sockets and files pass no other filter
    *("bpf", "add_key", "request_key", "keyctl", "unshare", "setns", "open_by_handle_at"),
)


class Machine(NamedTuple):
    """What a kind of processor is called by the kernel, and its numbers of the calls: seccomp, socket, `NAMES`."""

    audit: int
    seccomp: int
    socket: int
    numbers: tuple[int, ...]


MACHINES: Final = {
    "x86_64": Machine(
        0xC000003E, 317, 41, (101, 310, 311, 438, 298, 323, 425, 426, 427, 321, 248, 249, 250, 272, 308, 304)
    ),
    "aarch64": Machine(
        0xC00000B7, 277, 198, (117, 270, 271, 438, 241, 282, 425, 426, 427, 280, 217, 218, 219, 97, 268, 265)
    ),
}


def is_known() -> bool:
    """Tell whether there is a filter for this machine, on a kernel that takes filters."""
    if platform.machine() not in MACHINES:
        return False
    # Asked with no filter: a kernel that has filters finds fault with that, another one with the question.
    LIBC.syscall(MACHINES[platform.machine()].seccomp, SET_FILTER, KEEP_SPECULATION, None)
    return ctypes.get_errno() == errno.EFAULT


def forbid_calls(*, network: bool) -> None:
    """Refuse these calls to this process and what it starts, for ever; raises OSError. As `landlock.restrict`."""
    machine = MACHINES.get(platform.machine())
    if machine is None:
        raise OSError(errno.ENOSYS, f"no filter of system calls is known for {platform.machine()}")
    program = _program(machine, machine.numbers if network else (machine.socket, *machine.numbers))
    code = ctypes.create_string_buffer(program)
    described = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    if LIBC.syscall(machine.seccomp, SET_FILTER, KEEP_SPECULATION, described) < 0:
        failure = ctypes.get_errno()
        raise OSError(failure, os.strerror(failure))


def _program(machine: Machine, numbers: tuple[int, ...]) -> bytes:
    refused = REFUSE | errno.EACCES
    lines = [
        (LOAD, 0, 0, MACHINE_AT),
        (EQUAL, 1, 0, machine.audit),
        (RETURN, 0, 0, refused),  # calls of another kind of processor have other numbers
        (LOAD, 0, 0, NUMBER_AT),
        (AT_LEAST, len(numbers) + 1, 0, OTHER_ABI),
    ]
    lines += [(EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)]
    lines += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, refused)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
