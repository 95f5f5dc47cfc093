"""Names of headers, and the content types of bodies."""

from __future__ import annotations

POSITION = "AutoLearn-Position"  # the place in the log that an answer is true for
HEAD = "AutoLearn-Head"  # the log's chain hash there
LAG = "AutoLearn-Lag"  # while read models catch up: POSITION/END of the log, and `; seconds=N` to go where known
AUDIT = "AutoLearn-Audit"  # position:hash of the call's own record in the audit log
REQUEST_ID = "AutoLearn-Request"
FILE_SHA256 = "AutoLearn-SHA256"
SEAL = "AutoLearn-Seal"

SEALED = "application/vnd.autolearn.sealed"
JSON = "application/json"
PROBLEM = "application/problem+json"
EVENT_STREAM = "text/event-stream"
RAW = "application/octet-stream"
