"""FairQueue: places go to clients in turn, and none is lost with a client that went away."""

from __future__ import annotations

import asyncio

import pytest

from adapters.http.middleware.limits import FairQueue


async def nothing() -> None:
    pass


def served(arrivals: list[str], places: int = 1, leaving: frozenset[int] = frozenset()) -> list[str]:
    """Let clients come in this order, those at `leaving` go away while they wait; return who had a place, in order."""
    order = []

    async def take_place(queue: FairQueue, client: str) -> None:
        async with queue.take(client):
            order.append(client)
            await asyncio.wait([asyncio.create_task(nothing())])

    async def scenario() -> None:
        queue = FairQueue(places)
        async with queue.take("first"):
            takers = [asyncio.create_task(take_place(queue, client)) for client in arrivals]
            await asyncio.wait(takers, timeout=0.05)
            for number in leaving:
                takers[number].cancel()
            await asyncio.wait(takers, timeout=0.05)
        await asyncio.gather(*takers, return_exceptions=True)
        assert (queue._free, queue._waiting) == (places, {})

    asyncio.run(scenario())
    return order


def test_clients_take_turns() -> None:
    assert served(["ana", "ana", "ana", "ben", "ben", "cat"]) == ["ana", "ben", "cat", "ana", "ben", "ana"]


@pytest.mark.parametrize("leaving", [{0}, {0, 1}, {3}, {0, 1, 2, 3}])
def test_who_goes_away_takes_no_place_along(leaving: set[int]) -> None:
    arrivals = ["ana", "ana", "ben", "cat"]
    left = [client for number, client in enumerate(arrivals) if number not in leaving]
    assert sorted(served(arrivals, leaving=frozenset(leaving))) == sorted(left)


def test_who_goes_away_with_a_place_just_given_gives_it_back() -> None:
    async def scenario() -> None:
        queue = FairQueue(1)

        async def take_place() -> None:
            async with queue.take("ana"):
                pass

        async with queue.take("first"):
            going = asyncio.create_task(take_place())
            await asyncio.wait([going], timeout=0.05)
        going.cancel()  # its turn has come, and it has not run since
        await asyncio.wait([going])
        async with asyncio.timeout(5), queue.take("ben"):
            pass

    asyncio.run(scenario())


def test_as_many_as_places() -> None:
    async def scenario() -> int:
        queue, inside = FairQueue(2), [0]

        async def take_place() -> None:
            async with queue.take("ana"):
                inside[0] += 1
                await forever.wait()

        forever = asyncio.Event()
        takers = [asyncio.create_task(take_place()) for _ in range(5)]
        await asyncio.wait(takers, timeout=0.05)
        forever.set()
        seen = inside[0]
        await asyncio.gather(*takers)
        return seen

    assert asyncio.run(scenario()) == 2
