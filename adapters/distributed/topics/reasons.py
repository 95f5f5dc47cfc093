"""Why no broker can be used: librdkafka tells it in the background alone, and its calls say only that time ran out."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Final

from confluent_kafka import KafkaError

from domain.errors import AutoLearnError, ForbiddenError, NotAbleError

RECENT_SECONDS: Final = 10.0  # librdkafka connects again each second, so what lasts was told within these
KAFKA: Final = "Kafka (AUTOLEARN_KAFKA)"
MECHANISM: Final = re.compile(r"SASL (\S+) mechanism handshake failed: .*supported mechanisms: ?(.*)")
NAME: Final = re.compile(r"Failed to resolve '([^']*)'")
UNTRUSTED: Final = "certificate verify failed"
NO_TLS: Final = ("PLAINTEXT broker listener", "wrong version number")
NO_CLIENT_CERTIFICATE: Final = ("certificate required", "bad certificate", "unknown ca", "certificate unknown")
ABOUT_LIBRARY: Final = re.compile(r"^\S+://\S+: |^\S+/(bootstrap|\d+): | \(after \d+ms in state .*$")


class Reasons:
    """What one client was told of its connections. `protocol` is its security.protocol."""

    def __init__(self, protocol: str) -> None:
        self._protocol = protocol
        self._told: dict[int, tuple[float, str]] = {}

    def note(self, error: KafkaError) -> None:
        """Remember the last of each kind; this is the `error_cb` of the client."""
        self._told[error.code()] = time.monotonic(), ABOUT_LIBRARY.sub("", error.str())

    @property
    def has_no_broker(self) -> bool:
        """Whether all brokers were lost a short while ago."""
        return KafkaError._ALL_BROKERS_DOWN in self._recent()  # noqa: SLF001 - the documented name

    def explain(self, doing: str) -> AutoLearnError | None:
        """Return why this could not be done, the most telling reason first; None where nothing is known of it."""
        return next(self._explanations(self._recent(), doing), None)

    def _recent(self) -> dict[int, str]:
        """Return what was told lately, by Kafka's code."""
        since = time.monotonic() - RECENT_SECONDS
        return {code: text for code, (at, text) in self._told.items() if at > since}

    def _explanations(self, told: dict[int, str], doing: str) -> Iterator[AutoLearnError]:
        yield from (_login(text) for code, text in told.items() if code == KafkaError._AUTHENTICATION)  # noqa: SLF001 - the documented name
        yield from (found for text in told.values() if (found := _tls(text, self._protocol)) is not None)
        yield from (
            NotAbleError(
                f"{KAFKA} is at {name[1]!r}, a name that is not known here: correct AUTOLEARN_KAFKA, or what the "
                "brokers say of themselves (advertised.listeners)."
            )
            for text in told.values()
            if (name := NAME.search(text))
        )
        if {*told} == {KafkaError._ALL_BROKERS_DOWN}:  # noqa: SLF001 - idem; who cannot connect is told so, too
            yield NotAbleError(
                f"{KAFKA} accepts connections and ends each at once: its listener wants another security.protocol "
                f"than {self._protocol} (with TLS: SSL or SASL_SSL; with a password: one of SASL_…), or it is starting."
            )
        if KafkaError._TRANSPORT in told:  # noqa: SLF001 - idem
            text = told[KafkaError._TRANSPORT]  # noqa: SLF001 - idem
            yield NotAbleError(f"No broker of {KAFKA} answers in time to {doing}: {text}.")


def _login(text: str) -> AutoLearnError:
    mechanism = MECHANISM.search(text)
    if mechanism is None:
        return ForbiddenError(
            f"{KAFKA} does not accept this user or this password: check sasl.username and sasl.password."
        )
    asked, offered = mechanism[1], mechanism[2].strip()
    if not offered:
        return ForbiddenError(
            f"{KAFKA} takes no password at this listener: leave out SASL (security.protocol is SSL or PLAINTEXT), or "
            "name the port of a listener that does."
        )
    return ForbiddenError(f"{KAFKA} does not offer the SASL mechanism {asked}: set sasl.mechanism to {offered}.")


def _tls(text: str, protocol: str) -> AutoLearnError | None:
    if UNTRUSTED in text:
        return NotAbleError(
            f"The certificate of {KAFKA} is not trusted: ssl.ca.location must name the file of the authority that "
            "signed it, and AUTOLEARN_KAFKA the host that it was made for."
        )
    if any(part in text for part in NO_TLS):
        without = protocol.upper().replace("SSL", "PLAINTEXT")
        return NotAbleError(
            f"{KAFKA} does not speak TLS at this listener: set security.protocol to {without}, or name the port of "
            "a listener with TLS."
        )
    if any(part in text.lower() for part in NO_CLIENT_CERTIFICATE):
        return ForbiddenError(
            f"{KAFKA} does not accept the certificate of this client: check ssl.certificate.location and "
            "ssl.key.location."
        )
    return None
