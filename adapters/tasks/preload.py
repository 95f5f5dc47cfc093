"""What the forkserver imports before its first child: it can only import modules, so the import does the work."""

import os
import re
import sys

from adapters.host.printable import PrintableStream
from adapters.learning.warm import main
from adapters.tasks.child import die_with_parent
from adapters.tasks.confinement import program_paths

# The forkserver itself looks at this pipe only once all is loaded. It keeps the number to itself, but for its command.
if sentinel := re.search(r"main\(\d+, (\d+), ", sys.orig_argv[-1]):
    die_with_parent(int(sentinel[1]), os.getpid())
program_paths()
main()
sys.stdout, sys.stderr = PrintableStream(sys.stdout), PrintableStream(sys.stderr)  # what tasks print quotes data
