"""Looks at the servers of the distributed mode, for `autolearn doctor`; nothing is changed."""
