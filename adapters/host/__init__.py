"""What the operating system gives: files, folders, processes, memory and text on a terminal."""
