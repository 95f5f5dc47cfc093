"""The programs of the backend: settings, composition, the processes and their HTTP servers."""
