"""The work of the role `project`: folds the topic into a store of read models that it knows by a port alone."""
