"""Learning with scikit-learn: what runs inside task processes, and nowhere else (but for `builtin.BUILTIN`, plain facts)."""
