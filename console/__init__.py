"""The web console: pages for people. A client like any other: it asks the REST through the Remote Proxy."""
