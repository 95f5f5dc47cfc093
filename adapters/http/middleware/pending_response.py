"""An answer that nobody has seen yet: its status, headers and body, and how they are sealed for the caller."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders

from adapters.http.middleware.request_context import Passage
from adapters.http.problems import Problem
from autolearn.protocol.answer_facts import ONLY_SEALED, AnswerFacts, is_sealed
from autolearn.protocol.headers import FILE_SHA256, PROBLEM, REQUEST_ID, SEAL, SEALED
from autolearn.protocol.sealing import RESPONSE, seal

CONTENT_TYPE = "content-type"


@dataclass(slots=True)
class Held:
    """`problem` is its slug where it is one; `media` says what the body was before it was sealed."""

    status: int
    headers: MutableHeaders
    body: bytes = b""
    problem: str = ""
    media: str = ""

    @classmethod
    def of(cls, problem: Problem) -> Held:
        """Hold a problem."""
        headers = MutableHeaders(headers={"Content-Type": PROBLEM, **problem.headers})
        return cls(problem.status, headers, problem.body, problem.slug)

    def seal_body(self, passage: Passage) -> None:
        """Seal the body for who holds the key; a caller who does not is answered in plain."""
        if (proof := passage.proof) is None:
            return
        self.media = self.headers.get(CONTENT_TYPE, "")
        self.headers["Content-Type"] = SEALED
        self.body = seal(proof.key, RESPONSE, proof.claims.request_id, passage.method, passage.target, self.body)

    def seal_whole(self, passage: Passage) -> None:
        """Seal status and headers of an answer whose body is sealed."""
        self._seal_facts(passage, hashlib.sha256(self.body).hexdigest())

    def seal_beginning(self, passage: Passage) -> str:
        """Seal status and headers of an answer that is passed on as it comes, and return that seal."""
        self.media = self.headers.get(CONTENT_TYPE, "")
        return self._seal_facts(passage, self.headers.get(FILE_SHA256, ""))

    def _seal_facts(self, passage: Passage, sha256: str) -> str:
        if (proof := passage.proof) is None:
            return ""
        request_id = proof.claims.request_id
        self.headers[REQUEST_ID] = request_id
        told = {name: value for name, value in self.headers.items() if is_sealed(name)} | {CONTENT_TYPE: self.media}
        for name in ONLY_SEALED - {CONTENT_TYPE}:
            del self.headers[name]
        facts = AnswerFacts(self.status, told, sha256)
        self.headers[SEAL] = value = facts.seal(proof.key, request_id, passage.method, passage.target)
        return value
