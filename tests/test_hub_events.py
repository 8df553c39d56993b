"""The bus of events: everybody hears everything once, in order, or is told that something is missing."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from currant.clock import ManualClock
from currant.hub.events import Bus, Event


def names(events: list[Event]) -> list[object]:
    return [event.data.get("n", event.kind) for event in events]


def drain(subscription: object, most: int = 1_000) -> list[Event]:
    found = []
    while len(found) < most and (event := subscription.get(0)) is not None:  # type: ignore[attr-defined]
        found.append(event)
    return found


def test_who_comes_later_hears_what_comes_later() -> None:
    bus = Bus(ManualClock())
    bus.publish("job", {"n": 1})
    late = bus.subscribe()
    bus.publish("job", {"n": 2})
    bus.publish("commit", {"n": 3})
    assert names(drain(late)) == [2, 3]
    assert late.get(0) is None
    assert not late.ended


def test_a_listener_goes_on_where_it_was() -> None:
    bus = Bus(ManualClock())
    first = bus.publish("job", {"n": 1})
    bus.publish("job", {"n": 2})
    assert names(drain(bus.subscribe(after=first.id))) == [2]
    assert names(drain(bus.subscribe(after=first.id + 1))) == []


def test_who_is_too_slow_is_told_and_looks_anew() -> None:
    bus = Bus(ManualClock(), ring=3)
    slow = bus.subscribe()
    for number in range(10):
        bus.publish("job", {"n": number})
    assert names(drain(slow)) == ["reset"]
    bus.publish("job", {"n": 10})
    assert names(drain(slow)) == [10]


def test_an_id_of_another_service_is_not_known() -> None:
    clock = ManualClock()
    before = Bus(clock)
    old = [before.publish("job", {"n": number}) for number in range(5)][-1]
    clock.advance(1)
    after = Bus(clock)
    resumed = after.subscribe(after=old.id)
    assert names(drain(resumed)) == ["reset"]
    assert after.publish("job", {"n": 1}).id > old.id
    assert names(drain(resumed)) == [1]
    assert names(drain(after.subscribe(after=1 << 60))) == ["reset"]


@given(st.lists(st.one_of(st.just("publish"), st.integers(0, 4)), max_size=80), st.integers(1, 5))
def test_nothing_is_lost_in_silence(steps: list[object], ring: int) -> None:
    """Between two resets a listener hears every number once, in order; in the end it is up to date."""
    bus = Bus(ManualClock(), ring=ring)
    listeners = [bus.subscribe() for _ in range(5)]
    heard: list[list[object]] = [[] for _ in listeners]
    count = 0
    for step in steps:
        if step == "publish":
            bus.publish("job", {"n": count})
            count += 1
        else:
            assert isinstance(step, int)
            heard[step] += names(drain(listeners[step], most=2))
    for mine, listener in zip(heard, listeners, strict=True):
        mine += names(drain(listener))
        expected = 0
        for one in mine:
            if one == "reset":
                expected = -1
                continue
            assert isinstance(one, int)
            assert expected in (-1, one)
            expected = one + 1
        assert not count or mine[-1] in (count - 1, "reset")


def test_a_listener_that_waits_is_woken_and_ended() -> None:
    bus = Bus(ManualClock())
    subscription = bus.subscribe()
    heard: list[Event] = []
    some = threading.Event()

    def listen() -> None:
        for event in subscription:
            heard.append(event)
            some.set()

    thread = threading.Thread(target=listen)
    thread.start()
    bus.publish("health", {"n": 1})
    assert some.wait(30)
    bus.close()
    thread.join(30)
    assert not thread.is_alive()
    assert subscription.ended
    assert names(heard) == [1]


def test_closing_one_ends_one() -> None:
    bus = Bus(ManualClock())
    one, other = bus.subscribe(), bus.subscribe()
    one.close()
    bus.publish("job", {"n": 1})
    assert list(one) == []
    assert names(drain(other)) == [1]


def test_a_listener_that_fails_is_taken_off_and_harms_nobody() -> None:
    bus = Bus(ManualClock())
    calls: list[int] = []

    def bad(event: Event) -> None:
        calls.append(event.id)
        raise ValueError("it is his own fault")

    good: list[Event] = []
    bus.listen(bad)
    end = bus.listen(good.append)
    bus.publish("job", {"n": 1})
    bus.publish("job", {"n": 2})
    end()
    bus.publish("job", {"n": 3})
    assert len(calls) == 1
    assert names(good) == [1, 2]
