"""What the forkserver imports before its first child: it can only import modules, so the import does the work."""

import os
import signal
import sys

from adapters.host.processes import set_parent_death_signal
from adapters.learning.warm import main
from adapters.tasks.confinement import program_paths
from adapters.tasks.forkserver import PARENT
from autolearn.printable import PrintableStream

# The forkserver looks at the pipe to its parent only once all is loaded, and a request that waits for that holds the
# pipe's other end. So the kernel kills it. That is for the end of the thread which started it, hence not for longer.
set_parent_death_signal(signal.SIGKILL)
parent = os.environ.pop(PARENT, "")
if parent and os.getppid() != int(parent):  # it was gone before
    os.kill(os.getpid(), signal.SIGKILL)
program_paths()
main()
set_parent_death_signal(0)
sys.stdout, sys.stderr = PrintableStream(sys.stdout), PrintableStream(sys.stderr)  # what tasks print quotes data
