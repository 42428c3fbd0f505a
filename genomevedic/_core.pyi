from typing import Any, final

import numpy as np
import numpy.typing as npt

COLUMNS: tuple[str, ...]
DEFAULT_COLUMNS: tuple[str, ...]
LAYOUTS: tuple[str, ...]

def config() -> dict[str, Any]: ...
def inflate(data: bytes | bytearray | memoryview, engine: str | None = None) -> bytes: ...
def input_format(head: bytes | bytearray | memoryview, /) -> str: ...
def error_table() -> dict[str, str | None]: ...
def arrow_array(columns: dict[str, Any], /) -> tuple[object, object]: ...
def arrow_schema(columns: dict[str, Any], /) -> object: ...

@final
class Lease:
    @property
    def nbytes(self) -> int: ...
    @property
    def pieces(self) -> int: ...

@final
class Reader:
    def __new__(
        cls,
        sources: tuple[tuple[str, Any], ...],
        columns: tuple[str, ...],
        layout: str,
        *,
        min_quality: float = 0.0,
        encoding: str = "phred33",
        alphabet: str = "any",
        threads: int = 0,
        memory_limit: int | None = None,
        max_record_bytes: int = 1073741824,
        simd: str | None = None,
        engine: str | None = None,
    ) -> Reader: ...
    @property
    def rows(self) -> int: ...
    def advance(self, most_rows: int, most_text: int, /) -> bool: ...
    def take(
        self,
    ) -> dict[str, npt.NDArray[Any] | tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]]: ...
    def close(self) -> None: ...
    def stats(self) -> dict[str, Any]: ...
