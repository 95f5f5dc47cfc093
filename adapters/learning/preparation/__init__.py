"""From a canonical table to what an estimator fits."""
