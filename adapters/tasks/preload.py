"""What the forkserver imports before its first child: importing this module is all it can be told to do."""

from adapters.learning.warm import main

main()
