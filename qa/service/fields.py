"""Types of the fields of requests: as strict as the API's description says that they are.

JSON has strings, numbers and booleans of its own, so "12" is no number, 0 no date and 1 not true.
What the assistant refuses by itself, with a better message, is only described here.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, StrictBool

from index.document import LONGEST_GLOB

from ..question import MAX_CHARACTERS

STRICT = ConfigDict(extra="forbid")  # a misspelt field must not be none at all

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _iso_day(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str) and _DAY.fullmatch(value):
        return value
    raise ValueError("a day is written as 2024-03-05")


def _iso_moment(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str) and _DAY.match(value):
        return value
    raise ValueError("a day is written as 2024-03-05, with a time as 2024-03-05T14:30:00Z")


def _number(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("this is a number")
    return value


Day = Annotated[date, BeforeValidator(_iso_day)]
Moment = Annotated[date | datetime, BeforeValidator(_iso_moment)]
Count = Annotated[int, BeforeValidator(_number)]
Flag = StrictBool
Words = Annotated[str, Field(max_length=MAX_CHARACTERS, json_schema_extra={"minLength": 1})]
Glob = Annotated[str, Field(json_schema_extra={"maxLength": LONGEST_GLOB})]
NewSessionId = Annotated[str, Field(json_schema_extra={"pattern": r"^[A-Za-z0-9_-]{1,64}$"})]
