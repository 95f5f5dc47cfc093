"""REST: one request pipeline in front of all routes, one router per service. `policy.py` says who may call what."""
