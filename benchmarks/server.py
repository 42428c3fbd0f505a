"""One contender in a process of its own, so that its memory can be told from the others'.

    python server.py JOB

Once it says {"ready": true}, each line on standard input is the path of a file to go through, and
is answered with a line of JSON: the seconds it took, for what share of them other threads were busy
(the core's crew, an inflater), and what was found. {"unavailable": WHY} says
that there is no such job here. Compiled contenders (c/, rust/) speak the same.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from jobs import Unavailable, find


def answer(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def main() -> None:
    try:
        run = find(sys.argv[1])
    except (ImportError, Unavailable) as error:
        answer(unavailable=str(error))
        return
    answer(ready=True)
    for line in sys.stdin:
        path = line.rstrip("\n")
        try:
            elsewhere = time.thread_time() - time.process_time()
            started = time.perf_counter()
            found = run(path)
            seconds = time.perf_counter() - started
            elsewhere += time.process_time() - time.thread_time()
        except (NotImplementedError, Unavailable) as error:
            answer(unavailable=str(error))
            return
        # Adding up is no part of the job, and all is over and freed before the next one's turn.
        facts = {"seconds": seconds, "elsewhere": elsewhere / seconds} | found.facts()
        del found
        answer(**facts)


if __name__ == "__main__":
    main()
