"""What the forkserver imports before its first child: importing this module is all it can be told to do."""

import sys

from adapters.learning.warm import main
from adapters.printable import PrintableStream

main()
sys.stdout, sys.stderr = PrintableStream(sys.stdout), PrintableStream(sys.stderr)  # what tasks print quotes data
