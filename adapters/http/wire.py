"""Names that are spelt on the wire: media types and the headers of our own."""

from __future__ import annotations

JSON = "application/json"
PROBLEM = "application/problem+json"
EVENT_STREAM = "text/event-stream"
RAW = "application/octet-stream"

POSITION = "AutoLearn-Position"  # the place in the log that an answer is true for
HEAD = "AutoLearn-Head"  # the log's chain hash there
AUDIT = "AutoLearn-Audit"  # position:hash of the call's own record in the audit log
REQUEST = "AutoLearn-Request"
FILE_SHA256 = "AutoLearn-SHA256"
