"""What the forkserver imports before its first child: importing this module is all it can be told to do."""

import sys

from adapters.host.printable import PrintableStream
from adapters.learning.warm import main

main()
sys.stdout, sys.stderr = PrintableStream(sys.stdout), PrintableStream(sys.stderr)  # what tasks print quotes data
