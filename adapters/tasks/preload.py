"""What the forkserver imports before its first child: it can only import modules, so the import does the work."""

import sys

from adapters.host.printable import PrintableStream
from adapters.learning.warm import main
from adapters.tasks.confinement import program_paths

program_paths()
main()
sys.stdout, sys.stderr = PrintableStream(sys.stdout), PrintableStream(sys.stderr)  # what tasks print quotes data
