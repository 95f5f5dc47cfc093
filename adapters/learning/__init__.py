"""Learning with scikit-learn: runs inside task processes and nowhere else (`builtin.BUILTIN` is plain facts)."""
