"""REST: one gate in front of all routes, one router per service. Read `policy.py` and `gate.py` first."""
