"""Getting over faults that pass: try again, leave alone what keeps failing, make do without.

`Retry` tries again with growing, random waits. `CircuitBreaker` stops asking what has failed
several times in a row, and asks once after a while. `Fallback` answers with something else. Each
can be used alone, as a call or as a decorator, and they can be put around one another:

>>> import genomevedic as gv
>>> breaker = gv.recovery.CircuitBreaker("archive", failures=3, cooldown=30)
>>> fetch = gv.recovery.Fallback(None)(gv.recovery.Retry(tries=2)(breaker(lambda: "reads")))
>>> fetch(), breaker.state
('reads', 'closed')

What counts as a fault is `is_fault`, or what the argument ``on`` names: never an interrupt, never a
missing object, never a record that cannot be parsed. Clock, sleep and dice are arguments, so that
tests need no time.
"""

from __future__ import annotations

import dataclasses
import functools
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeAlias, TypeVar

from .arguments import check_integer, check_number
from .errors import CircuitOpenError, TimedOutError

__all__ = ["FAULTS", "CircuitBreaker", "Fallback", "Faults", "Retry", "Ticket", "is_fault"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

#: What passes as a rule: lines that drop, servers that say they are busy, and what takes too long.
FAULTS: tuple[type[Exception], ...] = (ConnectionError, TimeoutError)

Faults: TypeAlias = (
    "type[Exception] | tuple[type[Exception], ...] | Callable[[BaseException], bool]"
)


def is_fault(error: BaseException, on: Faults = FAULTS) -> bool:
    """Return whether an error is one of the listed faults.

    Parameters
    ----------
    error : BaseException
        What was raised.
    on : exception type, tuple of these, or callable
        The faults; a callable answers for itself. By default `FAULTS`.

    Returns
    -------
    bool
        Always False for what is no `Exception`: Ctrl-C and the end of the program are no faults.

    Examples
    --------
    >>> import genomevedic as gv
    >>> gv.recovery.is_fault(ConnectionResetError()), gv.recovery.is_fault(KeyboardInterrupt())
    (True, False)
    """
    if not isinstance(error, Exception):
        return False
    return isinstance(error, on) if isinstance(on, type | tuple) else bool(on(error))


def _check_faults(on: Any) -> Faults:
    kinds = on if isinstance(on, tuple) else (on,)
    if all(isinstance(kind, type) and issubclass(kind, Exception) for kind in kinds):
        return on  # type: ignore[no-any-return]
    if callable(on) and not isinstance(on, type):
        return on  # type: ignore[no-any-return]
    raise TypeError(f"on must be exception types or a function, and is {on!r}")


class _Wrapper:
    """What can be put around a function: `call` does it once, calling the object for good."""

    def call(
        self,
        function: Callable[_Arguments, _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> Any:
        raise NotImplementedError

    def __call__(self, function: Callable[_Arguments, _Result]) -> Callable[_Arguments, Any]:
        """Return the function with this around it."""

        @functools.wraps(function)
        def wrapped(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Any:
            return self.call(function, *args, **kwargs)

        return wrapped


# ---------------------------------------------------------------------------------------------
# Trying again
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Retry(_Wrapper):
    """Tries again after a fault, with exponential backoff and full jitter (tenacity inside).

    Before try ``n + 1`` it waits a random time, uniform between 0 and
    ``min(longest_wait, first_wait * factor ** (n - 1))`` seconds, so that many who failed
    together do not come back together.

    Parameters
    ----------
    tries : int, default 5
        How often in all, at least 1.
    first_wait, factor, longest_wait : float, default 2.0, 2.0, 60.0
        Bound of the first wait in seconds, what it grows by, and where it stops growing.
    longest_retry_after : float, default 60.0
        A server may ask for a wait (an error's ``retry_after``); it is waited for no less, up to
        so many seconds.
    deadline : float, optional
        Seconds for all tries and waits together. No wait is begun that would pass it. A call
        under way is not cut off.
    on : exception type, tuple of these, or callable, default `FAULTS`
        What is tried again.
    clock, sleep, uniform : callable
        The seconds of a clock that never goes back, how to wait, and ``uniform(a, b)``.
    before_wait : callable, optional
        Called as ``before_wait(tries_so_far, seconds, error)``.

    Examples
    --------
    >>> import genomevedic as gv
    >>> answers = iter([ConnectionResetError("gone"), "reads"])
    >>> def fetch():
    ...     answer = next(answers)
    ...     if isinstance(answer, Exception):
    ...         raise answer
    ...     return answer
    >>> gv.recovery.Retry(first_wait=0.01).call(fetch)
    'reads'
    """

    tries: int = 5
    first_wait: float = 2.0
    factor: float = 2.0
    longest_wait: float = 60.0
    longest_retry_after: float = 60.0
    deadline: float | None = None
    on: Faults = FAULTS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    uniform: Callable[[float, float], float] = random.uniform
    before_wait: Callable[[int, float, BaseException], object] | None = None

    def __post_init__(self) -> None:
        check_integer("tries", self.tries, 1)
        for name in ("first_wait", "factor", "longest_wait", "longest_retry_after", "deadline"):
            value = getattr(self, name)
            if value is not None and check_number(name, value) < 0:
                raise ValueError(f"{name} must not be negative, and is {value!r}")
        _check_faults(self.on)

    def but(self, **changes: Any) -> Retry:
        """Return the same with some arguments changed."""
        return dataclasses.replace(self, **changes)

    def wait_after(self, tries: int, error: BaseException | None = None) -> float:
        """Return how long to wait, in seconds, after so many tries in vain.

        Parameters
        ----------
        tries : int
            At least 1.
        error : BaseException, optional
            The last fault; its ``retry_after`` is honoured.

        Returns
        -------
        float
            A new draw at each call.
        """
        try:
            bound = min(self.longest_wait, self.first_wait * self.factor ** (tries - 1))
        except OverflowError:
            bound = self.longest_wait
        wait = self.uniform(0.0, bound)
        asked = getattr(error, "retry_after", None)
        if asked is not None:
            wait = max(wait, min(float(asked), self.longest_retry_after))
        return wait

    def call(
        self,
        function: Callable[_Arguments, _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """Call a function until it succeeds.

        Returns
        -------
        object
            What the function returned.

        Raises
        ------
        TimedOutError
            Going on would pass the deadline; the last fault is its cause.
        Exception
            What the last try raised, or what is no fault.
        ImportError
            tenacity, of the extra ``remote``, is missing.
        """
        try:
            import tenacity
        except ImportError as error:
            raise ImportError(
                'trying again needs tenacity; install it with: pip install "genomevedic[remote]"'
            ) from error
        ends = None if self.deadline is None else self.clock() + self.deadline
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: is_fault(error, self.on)),
            wait=lambda state: self.wait_after(state.attempt_number, _error_of(state)),
            stop=lambda state: self._must_stop(state, ends),
            sleep=self.sleep,
            before_sleep=self._tell,
            reraise=True,
        )
        return retrying(function, *args, **kwargs)

    def _must_stop(self, state: Any, ends: float | None) -> bool:
        if state.attempt_number >= self.tries:
            return True
        if ends is not None and self.clock() + state.upcoming_sleep >= ends:
            error = _error_of(state)
            raise TimedOutError(
                f"the deadline of {self.deadline:g} seconds would pass before the next try; the "
                f"last fault: {error}",
                tries=state.attempt_number,
                deadline=self.deadline,
            ) from error
        return False

    def _tell(self, state: Any) -> None:
        error = _error_of(state)
        if self.before_wait is not None and error is not None:
            self.before_wait(state.attempt_number, state.upcoming_sleep, error)


def _error_of(state: Any) -> BaseException | None:
    error: BaseException | None = state.outcome.exception()
    return error


# ---------------------------------------------------------------------------------------------
# Leaving alone
# ---------------------------------------------------------------------------------------------


class Ticket:
    """Leave for one call through a breaker; whoever holds it says how the call ended.

    The first of `succeeded`, `failed` and `dropped` counts, later ones say nothing. A ticket that
    is forgotten, as when Ctrl-C strikes between two steps, is dropped.
    """

    __slots__ = ("_breaker", "_era", "_is_used", "is_probe")

    def __init__(self, breaker: CircuitBreaker, era: int, is_probe: bool) -> None:
        self._breaker = breaker
        self._era = era
        self._is_used = False
        self.is_probe = is_probe

    def succeeded(self) -> None:
        """Say that the call did what it should."""
        self._end(True, None)

    def failed(self, error: BaseException) -> None:
        """Say what the call raised; it counts where it is one of the breaker's faults."""
        self._end(False if is_fault(error, self._breaker.on) else None, error)

    def dropped(self) -> None:
        """Say that the call was given up: nothing is known of what it was made to."""
        self._end(None, None)

    def __del__(self) -> None:
        self._end(None, None)

    def _end(self, is_success: bool | None, error: BaseException | None) -> None:
        if not self._is_used:
            self._is_used = True
            self._breaker._settle(self._era, self.is_probe, is_success, error)


class CircuitBreaker(_Wrapper):
    """Stops calls to what has failed several times in a row, and looks after a while.

    ``closed``: calls go through. After `failures` counted faults in a row it is ``open``: calls
    are refused at once. After `cooldown` seconds the next caller goes through alone
    (``half-open``); its success closes the circuit, its fault opens it for another `cooldown`. An
    error that is no fault says nothing: it is not counted, and does not end the row.

    Threads may share a breaker. Its lock is held only to look and to count, never during a call.

    Parameters
    ----------
    name : str, default ""
        Whose circuit it is; stands in the message.
    failures : int, default 3
        Faults in a row that open it, at least 1.
    cooldown : float, default 30.0
        Seconds from opening to the probe.
    on : exception type, tuple of these, or callable, default `FAULTS`
        What counts as a fault.
    clock : callable
        The seconds of a clock that never goes back.
    on_change : callable, optional
        Called as ``on_change(breaker, state_before, state)``, outside the lock.

    Examples
    --------
    >>> import genomevedic as gv
    >>> breaker = gv.recovery.CircuitBreaker("archive", failures=1)
    >>> def fetch():
    ...     raise ConnectionResetError("gone")
    >>> for _ in range(2):
    ...     try:
    ...         breaker.call(fetch)
    ...     except OSError as error:
    ...         print(type(error).__name__)
    ConnectionResetError
    CircuitOpenError
    """

    def __init__(
        self,
        name: str = "",
        *,
        failures: int = 3,
        cooldown: float = 30.0,
        on: Faults = FAULTS,
        clock: Callable[[], float] = time.monotonic,
        on_change: Callable[[CircuitBreaker, str, str], object] | None = None,
    ) -> None:
        self.name = name
        self.failures = check_integer("failures", failures, 1)
        self.cooldown = check_number("cooldown", cooldown)
        if self.cooldown < 0:
            raise ValueError(f"cooldown must not be negative, and is {cooldown!r}")
        self.on = _check_faults(on)
        self._clock = clock
        self._on_change = on_change
        # A ticket that is forgotten settles when it is collected, whoever holds the lock then.
        self._lock = threading.RLock()
        # Under the lock. Invariants: _is_open iff _opened_at says when; _is_probed only where
        # _is_open; in _row fewer than `failures` while closed. A ticket of an era gone by says
        # nothing: what a slow call found is older than the state.
        self._is_open = False
        self._opened_at = 0.0
        self._is_probed = False
        self._row = 0
        self._era = 0
        self._last_fault = ""

    @property
    def state(self) -> str:
        """``"closed"``, ``"open"`` (calls are refused) or ``"half-open"`` (a probe may, or is)."""
        with self._lock:
            return self._state()

    @property
    def faults_in_a_row(self) -> int:
        """Counted faults since the last success."""
        with self._lock:
            return self._row

    def _state(self) -> str:
        if not self._is_open:
            return "closed"
        return "half-open" if self._is_probed or self._left() <= 0 else "open"

    def _left(self) -> float:
        return self._opened_at + self.cooldown - self._clock()

    def may_call(self) -> bool:
        """Return whether `admit` would let a caller through now."""
        with self._lock:
            return not self._is_open or (not self._is_probed and self._left() <= 0)

    def seconds_left(self) -> float:
        """Return the seconds until a probe may go through; 0 where calls may."""
        with self._lock:
            return max(0.0, self._left()) if self._is_open else 0.0

    def reset(self) -> None:
        """Close the circuit: the caller knows that what it leads to works."""
        with self._lock:
            before = self._state()
            self._is_open = self._is_probed = False
            self._row = 0
            self._era += 1
        if before != "closed" and self._on_change is not None:
            self._on_change(self, before, "closed")

    def admit(self) -> Ticket:
        """Let a caller through, who then says on the ticket how the call ended.

        Returns
        -------
        Ticket

        Raises
        ------
        CircuitOpenError
            The circuit is open, or somebody else is probing.
        """
        with self._lock:
            if not self._is_open:
                return Ticket(self, self._era, False)
            left = max(0.0, self._left())
            if not self._is_probed and left == 0:
                self._is_probed = True
                return Ticket(self, self._era, True)
            row, fault = self._row, self._last_fault
        where = f"{self.name}: " if self.name else ""
        raise CircuitOpenError(
            f"{where}left alone after {row} faults in a row; asked again in {left:.1f} seconds. "
            f"The last fault: {fault}",
            path=self.name or None,
            retry_after=left,
            failures=row,
        )

    def call(
        self,
        function: Callable[_Arguments, _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """Call a function if the circuit lets it.

        Returns
        -------
        object
            What the function returned.

        Raises
        ------
        CircuitOpenError
            It does not, and the function was not called.
        Exception
            What the function raised.
        """
        ticket = self.admit()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            ticket.failed(error)
            raise
        ticket.succeeded()
        return result

    def _settle(
        self, era: int, is_probe: bool, is_success: bool | None, error: BaseException | None
    ) -> None:
        with self._lock:
            if era != self._era:
                return
            before = self._state()
            if is_probe:
                self._is_probed = False
            if is_success:
                self._row = 0
                if self._is_open:
                    self._is_open = False
                    self._era += 1
            elif is_success is False:
                self._row += 1
                self._last_fault = f"{type(error).__name__}: {error}"
                if is_probe or self._row >= self.failures:
                    self._is_open = True
                    self._opened_at = self._clock()
                    self._era += 1
            after = self._state()
        if before != after and self._on_change is not None:
            self._on_change(self, before, after)

    def __repr__(self) -> str:
        return f"<CircuitBreaker {self.name!r}, {self.state}>"


# ---------------------------------------------------------------------------------------------
# Making do
# ---------------------------------------------------------------------------------------------


class Fallback(_Wrapper):
    """Answers with something else where a call fails.

    Parameters
    ----------
    value : object
        The answer; a function is called with the error and answers itself.
    on : exception type, tuple of these, or callable
        What is answered for; by default `FAULTS` and `CircuitOpenError`.

    Examples
    --------
    >>> import genomevedic as gv
    >>> def fetch():
    ...     raise TimeoutError("nothing came")
    >>> gv.recovery.Fallback([]).call(fetch)
    []
    """

    def __init__(self, value: Any, *, on: Faults = (*FAULTS, CircuitOpenError)) -> None:
        self.value = value
        self.on = _check_faults(on)

    def call(
        self,
        function: Callable[_Arguments, _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> Any:
        """Call a function.

        Returns
        -------
        object
            What it returned, or `value`.

        Raises
        ------
        Exception
            What the function raised, where it is not among ``on``.
        """
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if not is_fault(error, self.on):
                raise
            return self.value(error) if callable(self.value) else self.value
