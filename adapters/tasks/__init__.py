"""Task processes: one per task, made at the call, watched by its parent."""
