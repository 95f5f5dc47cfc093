"""Query parameters as FastAPI reads them: one model per route, unknown names refused."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from adapters.http.routes import request_schemas as schemas

After = Annotated[schemas.After, Query()]
When = Annotated[schemas.When, Query()]
Upload = Annotated[schemas.Upload, Query()]
WhichSession = Annotated[schemas.WhichSession, Query()]
Search = Annotated[schemas.Search, Query()]
LogPage = Annotated[schemas.LogPage, Query()]
LogEvents = Annotated[schemas.LogEvents, Query()]
Replay = Annotated[schemas.Replay, Query()]
