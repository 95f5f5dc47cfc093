"""FramePacer: frames of many streams leave in the order they came, and everything else has its turn between them."""

from __future__ import annotations

import asyncio

from adapters.http.streams.frames import FramePacer

FRAMES = 60


def test_frames_keep_their_order_and_others_run_between_them() -> None:
    order: list[str] = []

    async def stream(pacer: FramePacer, number: int) -> None:
        await pacer.wait_turn()
        order.append(f"frame {number}")

    async def other(step: asyncio.Event) -> None:
        while len([it for it in order if it != "call"]) < FRAMES:
            order.append("call")
            step.set()
            await step.wait()
            await asyncio.wait_for(asyncio.shield(passed()), None)

    async def passed() -> None:
        """Let the loop go round once."""

    async def story() -> None:
        pacer = FramePacer()
        await asyncio.gather(other(asyncio.Event()), *(stream(pacer, number) for number in range(FRAMES)))

    asyncio.run(story())
    frames = [it for it in order if it != "call"]
    assert frames == [f"frame {number}" for number in range(FRAMES)]
    together = max(len(run.split()) // 2 for run in " ".join(order).split("call"))
    assert together <= 2
