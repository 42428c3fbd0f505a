"""Recovery: waits, deadlines, the breaker's states and its one probe. No test takes real time."""

from __future__ import annotations

import gc
import itertools
import math
import random
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import genomevedic as gv
from genomevedic.errors import CircuitOpenError, SourceNotFoundError, TimedOutError
from genomevedic.recovery import CircuitBreaker, Fallback, Retry, is_fault


class Time:
    """A clock that goes on only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Asked(ConnectionError):
    """A fault of a server that says when to come back."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("busy")
        self.retry_after = retry_after


def failing(*errors: BaseException) -> Callable[[], str]:
    """Return a function that raises each of these, then answers."""
    left = iter(errors)

    def function() -> str:
        for error in left:
            raise error
        return "done"

    return function


def retry_of(time: Time, **options: Any) -> Retry:
    return Retry(clock=time, sleep=time.sleep, **options)


def kolmogorov_p(sample: list[float], most: float) -> float:
    """The probability of a distance from the uniform distribution as large as this sample's."""
    n = len(sample)
    ordered = [value / most for value in sorted(sample)]
    distance = max(max((i + 1) / n - x, x - i / n) for i, x in enumerate(ordered))
    root = math.sqrt(n)
    scaled = (root + 0.12 + 0.11 / root) * distance
    terms = (2 * (-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101))
    return min(1.0, max(0.0, sum(terms)))


# ---------------------------------------------------------------------------------------------
# Retry
# ---------------------------------------------------------------------------------------------


def test_waits_double_up_to_the_cap() -> None:
    retry = Retry(uniform=lambda low, high: high)
    assert [retry.wait_after(n) for n in range(1, 9)] == [2, 4, 8, 16, 32, 60, 60, 60]
    assert retry.wait_after(10**6) == 60
    assert Retry(uniform=lambda low, high: low).wait_after(5) == 0


@pytest.mark.parametrize("tries", [1, 3, 7])
def test_jitter_is_full_and_uniform(tries: int) -> None:
    time = Time()
    retry = retry_of(time, tries=10**4 + 1, factor=1, first_wait=2.0 * 2 ** (tries - 1))
    retry = retry.but(uniform=random.Random(tries).uniform)
    with pytest.raises(ConnectionError):
        retry.call(failing(*[ConnectionError("gone")] * (10**4 + 1)))
    most = min(60.0, 2.0 * 2 ** (tries - 1))
    assert len(time.slept) == 10**4
    assert kolmogorov_p(time.slept, most) > 0.01
    # The same test tells another distribution, and the halved jitter of other packages.
    assert kolmogorov_p([value**1.05 / most**0.05 for value in time.slept], most) < 0.01
    assert kolmogorov_p([most / 2 + value / 2 for value in time.slept], most) < 0.01


def test_it_tries_five_times_and_raises_the_last_error() -> None:
    time = Time()
    faults = [ConnectionResetError(str(n)) for n in range(5)]
    with pytest.raises(ConnectionResetError) as caught:
        retry_of(time).call(failing(*faults))
    assert caught.value is faults[4]
    assert len(time.slept) == 4
    assert retry_of(time).call(failing(*faults[:4])) == "done"


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(), ValueError("odd"), SourceNotFoundError("404")]
)
def test_what_is_no_fault_is_raised_at_once(error: BaseException) -> None:
    time = Time()
    with pytest.raises(type(error)) as caught:
        retry_of(time).call(failing(error))
    assert caught.value is error
    assert time.slept == []


def test_a_server_may_ask_for_a_wait_up_to_a_cap() -> None:
    time = Time()
    retry = retry_of(time, uniform=lambda low, high: high, longest_retry_after=40)
    assert retry.call(failing(Asked(1), Asked(30), Asked(3600))) == "done"
    assert time.slept == [2, 30, 40]


def test_the_deadline_is_for_the_whole() -> None:
    time = Time()
    retry = retry_of(time, uniform=lambda low, high: high, deadline=13)
    fault = ConnectionResetError("gone")
    with pytest.raises(TimedOutError) as caught:
        retry.call(failing(*[fault] * 9))
    assert time.slept == [2, 4]  # The next 8 seconds would end behind it.
    assert caught.value.__cause__ is fault
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.context["tries"] == 3


def test_who_waits_is_told() -> None:
    time, told = Time(), []
    retry = retry_of(
        time, uniform=lambda low, high: high, before_wait=lambda *args: told.append(args)
    )
    fault = TimeoutError("slow")
    assert retry(failing(fault))() == "done"
    assert told == [(1, 2.0, fault)]


def test_faults_are_types_or_a_function() -> None:
    assert is_fault(ValueError(), ValueError)
    assert is_fault(ValueError("x"), lambda error: str(error) == "x")
    assert not is_fault(KeyboardInterrupt(), lambda error: True)
    for wrong in (3, KeyboardInterrupt, (ValueError, 3)):
        with pytest.raises(TypeError, match="on must be"):
            Retry(on=wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="on must be"):
            CircuitBreaker(on=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "kind"),
    [({"tries": 0}, ValueError), ({"first_wait": -1}, ValueError), ({"deadline": "x"}, TypeError)],
)
def test_arguments_of_retry(options: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind, match=next(iter(options))):
        Retry(**options)


def test_without_tenacity_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tenacity", None)
    with pytest.raises(ImportError, match=r"genomevedic\[remote\]"):
        Retry().call(lambda: None)


# ---------------------------------------------------------------------------------------------
# Circuit breaker
# ---------------------------------------------------------------------------------------------


def fail(breaker: CircuitBreaker, error: BaseException | None = None) -> None:
    error = ConnectionError("gone") if error is None else error
    with pytest.raises(type(error)):
        breaker.call(failing(error))


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_it_opens_at_exactly_so_many_faults_in_a_row(most: int) -> None:
    breaker = CircuitBreaker(failures=most, clock=Time())
    for _ in range(2):
        for _ in range(most - 1):
            fail(breaker)
        assert breaker.call(failing()) == "done"
    for n in range(most):
        assert (breaker.state, breaker.faults_in_a_row) == ("closed", n)
        fail(breaker)
    assert breaker.state == "open"


@pytest.mark.parametrize(
    "error",
    [
        SourceNotFoundError("404"),
        gv.errors.FastqFormatError("odd"),
        gv.errors.TruncatedFileError("cut"),
        KeyboardInterrupt(),
        SystemExit(),
    ],
)
def test_what_is_no_fault_does_not_count(error: BaseException) -> None:
    breaker = CircuitBreaker(clock=Time())
    for _ in range(2):
        fail(breaker)
    for _ in range(10):
        fail(breaker, error)
    assert (breaker.state, breaker.faults_in_a_row) == ("closed", 2)
    fail(breaker)
    assert breaker.state == "open"


def test_nothing_is_asked_while_open() -> None:
    time, asked = Time(), []
    breaker = CircuitBreaker("https://host", cooldown=30, clock=time)
    for _ in range(3):
        fail(breaker)
    for _ in range(100):
        time.now += 0.29
        with pytest.raises(CircuitOpenError) as caught:
            breaker.call(asked.append, 1)
    assert asked == []
    assert caught.value.retry_after == pytest.approx(1.0)
    assert caught.value.path == "https://host"
    assert "ConnectionError: gone" in str(caught.value)
    assert not breaker.may_call()
    time.now += 1.01
    assert breaker.may_call() and breaker.state == "half-open"
    breaker.call(asked.append, 1)
    assert asked == [1] and breaker.state == "closed"


def test_a_failed_probe_opens_it_anew() -> None:
    time = Time()
    breaker = CircuitBreaker(cooldown=30, clock=time)
    for _ in range(3):
        fail(breaker)
    for _ in range(4):
        time.now += 30
        fail(breaker)
        assert breaker.state == "open"
        assert breaker.seconds_left() == 30


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("odd")])
def test_a_probe_that_says_nothing_gives_its_place_back(error: BaseException) -> None:
    time = Time()
    breaker = CircuitBreaker(cooldown=30, clock=time)
    for _ in range(3):
        fail(breaker)
    time.now += 30
    fail(breaker, error)
    assert breaker.state == "half-open"
    assert breaker.call(failing()) == "done"
    assert breaker.state == "closed"


def test_a_forgotten_ticket_gives_its_place_back() -> None:
    time = Time()
    breaker = CircuitBreaker(failures=1, cooldown=30, clock=time)
    fail(breaker)
    time.now += 30
    ticket = breaker.admit()
    assert ticket.is_probe and not breaker.may_call()
    del ticket
    gc.collect()
    assert breaker.may_call()


def in_threads(count: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_calls_do_not_wait_for_one_another() -> None:
    # All 64 meet inside their calls: with a lock held during one the others would never come.
    breaker, barrier = CircuitBreaker(), threading.Barrier(64)
    in_threads(64, lambda n: breaker.call(barrier.wait, 50) and None)
    assert breaker.state == "closed"


@pytest.mark.parametrize("seed", range(5))
def test_one_probe_among_64_threads(seed: int) -> None:
    time = Time()
    breaker = CircuitBreaker(failures=3, cooldown=1, clock=time)
    for _ in range(3):
        fail(breaker)
    time.now += 1
    start, rest = threading.Barrier(64), threading.Semaphore(0)
    probes, refused = itertools.count(), itertools.count()

    def probe() -> None:
        next(probes)
        for _ in range(63):  # Until all others were refused, so that all met the probe under way.
            assert rest.acquire(timeout=50)
        if seed % 2:
            raise ConnectionError("gone")

    def work(n: int) -> None:
        start.wait(50)
        try:
            breaker.call(probe)
        except CircuitOpenError:
            next(refused)
            rest.release()
        except ConnectionError:
            pass

    in_threads(64, work)
    assert (next(probes), next(refused)) == (1, 63)
    assert breaker.state == ("open" if seed % 2 else "closed")


def test_what_is_older_than_the_state_says_nothing() -> None:
    time = Time()
    breaker = CircuitBreaker(failures=1, cooldown=10, clock=time)
    slow_success, slow_fault, fault = (breaker.admit() for _ in range(3))
    fault.failed(ConnectionError("gone"))
    assert breaker.state == "open"
    slow_success.succeeded()
    assert breaker.state == "open"
    time.now += 5
    slow_fault.failed(ConnectionError("gone"))
    assert breaker.seconds_left() == 5
    fault.succeeded()  # Only the first word counts.
    time.now += 5
    late_probe = breaker.admit()
    late_probe.succeeded()
    slow_fault.failed(ConnectionError("gone"))
    assert breaker.state == "closed"


def test_faults_of_64_threads_are_counted_once_each() -> None:
    breaker, opened = CircuitBreaker(failures=64 * 50), []
    breaker._on_change = lambda *change: opened.append(change[1:])
    in_threads(64, lambda n: [fail(breaker) for _ in range(50)] and None)
    assert opened == [("closed", "open")]
    assert breaker.faults_in_a_row == 64 * 50


def test_who_knows_better_closes_it() -> None:
    breaker = CircuitBreaker(failures=1, clock=Time())
    fail(breaker)
    breaker.reset()
    assert (breaker.state, breaker.faults_in_a_row) == ("closed", 0)
    assert breaker.call(failing()) == "done"


def test_changes_are_told() -> None:
    time, told = Time(), []
    breaker = CircuitBreaker(
        failures=1, cooldown=1, clock=time, on_change=lambda b, old, new: told.append((old, new))
    )
    fail(breaker)
    time.now += 1
    fail(breaker)
    time.now += 1
    breaker.call(failing())
    assert told == [("closed", "open"), ("half-open", "open"), ("half-open", "closed")]


# ---------------------------------------------------------------------------------------------
# Fallback, and all together
# ---------------------------------------------------------------------------------------------


def test_fallback() -> None:
    assert Fallback(7).call(failing(TimeoutError("slow"))) == 7
    assert Fallback(str)(failing(TimeoutError("slow")))() == "slow"
    assert Fallback(7).call(failing()) == "done"
    for error in (KeyboardInterrupt(), ValueError("odd")):
        with pytest.raises(type(error)):
            Fallback(7).call(failing(error))


def test_composed() -> None:
    time = Time()
    breaker = CircuitBreaker(failures=3, cooldown=30, clock=time)
    retry = retry_of(time, uniform=lambda low, high: high)
    calls: Iterator[int] = itertools.count()

    def fetch() -> str:
        next(calls)
        raise ConnectionResetError("gone")

    fetch_or = Fallback("nothing")(retry(breaker(fetch)))
    # The fourth try meets the open circuit, which is no fault to be tried again.
    assert fetch_or() == "nothing"
    assert (next(calls), time.slept, breaker.state) == (3, [2, 4, 8], "open")
    # Told that an open circuit may be waited for, the retry comes back when the probe is due.
    patient = retry.but(on=(ConnectionError, CircuitOpenError))
    assert patient(breaker(failing()))() == "done"
    assert time.slept[3:] == [30.0 - 8] and breaker.state == "closed"
