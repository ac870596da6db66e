"""The service's settings: flags of `dateline serve`, over the environment, over a TOML file."""

from __future__ import annotations

import difflib
import ipaddress
import os
import socket
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import limits
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from index.errors import UsageError

PREFIX = "DATELINE_SERVE_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
DEFAULT_FILE = Path("dateline.toml")
TABLE = "serve"
SHORTEST_KEY = 32  # characters; what `dateline keys add` makes has 46
MEBIBYTE = 1 << 20


def _split(value: object) -> object:
    """Names with commas between them, one by one."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        return value  # refused by what comes after
    return tuple(name.strip() for text in texts for name in text.split(",") if name.strip())


def _a_rate(value: str) -> str:
    if value != "none":
        limits.parse(value)  # a ValueError says what is wrong
    return value


def _long_enough(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < SHORTEST_KEY:
        raise ValueError(f"a key has at least {SHORTEST_KEY} characters")
    return value


def _a_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("it begins with http:// or https:// and a host")
    return value.rstrip("/")


def _an_origin(value: str) -> str:
    url = _a_url(value)
    if urlsplit(url).path:
        raise ValueError("an origin ends with its host or port")
    return url


def _a_network(value: str) -> str:
    ipaddress.ip_network(value, strict=False)  # a ValueError says what is wrong
    return value


Origin = Annotated[str, AfterValidator(_an_origin)]
Network = Annotated[str, AfterValidator(_a_network)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Origins = Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_split)]
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_split)]


class ServiceSettings(BaseSettings):
    """How `dateline serve` listens, guards itself and writes its log.

    A field `rate_limit` is `--rate-limit`, `DATELINE_SERVE_RATE_LIMIT` and `rate_limit` in a file.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8765, ge=0, le=65535, description="port; 0 takes a free one")
    public_url: Annotated[str, AfterValidator(_a_url)] | None = Field(
        default=None, description="address under which people reach it, if a proxy stands before it"
    )
    allowed_hosts: Names = Field(
        default=(),
        description="Host headers that are answered; by default any, on loopback its own names",
    )
    trusted_proxies: Networks = Field(
        default=(), description="addresses or networks whose X-Forwarded-For is believed"
    )
    cors_origins: Origins = Field(default=(), description="web origins whose pages may ask, too")
    auth: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="whether API keys are needed; auto: if others than this machine can ask",
    )
    api_key: Annotated[SecretStr, AfterValidator(_long_enough)] | None = Field(
        default=None,
        description=f"one more API key, with all rights; at least {SHORTEST_KEY} characters",
    )
    rate_limit: Annotated[str, AfterValidator(_a_rate)] = Field(
        default="600/minute",
        description="requests of one key, or of one address without keys; or none",
    )
    workers: int = Field(default=2, ge=1, le=64, description="questions answered at a time")
    queue: int = Field(
        default=32, ge=0, le=10_000, description="questions that may wait; more get 503"
    )
    timeout: float = Field(
        default=60, gt=0, le=3600, description="seconds for a question, waiting included, then 504"
    )
    shutdown_timeout: int = Field(
        default=30, ge=1, le=3600, description="seconds that a stop waits for what is in flight"
    )
    max_body_mib: float = Field(default=1, gt=0, le=1024, description="largest request in MiB")
    max_upload_mib: float = Field(default=64, gt=0, le=10_240, description="largest upload in MiB")
    max_upload_files: int = Field(
        default=100, ge=1, le=10_000, description="most files of an upload"
    )
    docs: bool = Field(default=True, description="describe the API at /docs and /openapi.json")
    log_format: Literal["text", "json"] = Field(default="text", description="how log lines look")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least important line that is written"
    )

    @property
    def max_body(self) -> int:
        """Largest request in bytes."""
        return int(self.max_body_mib * MEBIBYTE)

    @property
    def max_upload(self) -> int:
        """Largest upload in bytes."""
        return int(self.max_upload_mib * MEBIBYTE)

    @property
    def is_exposed(self) -> bool:
        """Whether others than this machine's programs can ask: directly, or through a proxy."""
        return not is_loopback(self.host) or bool(self.public_url or self.trusted_proxies)

    @property
    def needs_keys(self) -> bool:
        """Whether a request must carry an API key."""
        return self.auth == "on" or (self.auth == "auto" and self.is_exposed)

    @property
    def origins(self) -> tuple[str, ...]:
        """Web origins that may ask, besides the address that a request goes to."""
        public = urlsplit(self.public_url or "")
        own = (f"{public.scheme}://{public.netloc}",) if self.public_url else ()
        return (*own, *self.cors_origins)


def is_loopback(host: str) -> bool:
    """Whether an address, or every address of a name, is one of the machine's own."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host or None, None, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        return False  # listening will say what is wrong with it
    return bool(host) and all(ipaddress.ip_address(a[4][0]).is_loopback for a in found)


def load_settings(config: Path | None = None, **flags: Any) -> ServiceSettings:  # noqa: ANN401
    """The settings as flags, environment and file say; of each, the first that says something.

    Args:
        config: the TOML file, with a table [serve]; by default dateline.toml in the working folder,
            if there is one.
        flags: what the command line says; None is nothing.

    Raises:
        UsageError: a value that is not possible, an unknown name, a file that cannot be read.
    """
    _refuse_unknown_variables()
    file = config or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)
    table = _table(file) if file else {}

    class Loaded(ServiceSettings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, table)

    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Loaded(**given)
    except ValidationError as error:
        raise _explained(error, given, file) from None


def _table(file: Path) -> dict[str, Any]:
    """The settings in a file."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}.", "Name another --config."
        ) from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise UsageError(f"{file} is not TOML: {error}.", f"It needs a table [{TABLE}].") from error
    for name in content:
        if name != TABLE:
            raise UsageError(f"{file}: there is no table or key {name!r}.", f"Use [{TABLE}].")
    table = content.get(TABLE, {})
    if not isinstance(table, dict):
        raise UsageError(f"{file}: {TABLE} is not a table.", f"Write [{TABLE}] on a line.")
    for name in table:
        if name not in ServiceSettings.model_fields:
            raise UsageError(f"{file}: there is no setting {name!r}.", _meant(name))
    return table


def _refuse_unknown_variables() -> None:
    """A misspelt variable must not leave a door open."""
    for variable in os.environ:
        name = variable.removeprefix(PREFIX).lower()
        known = name in ServiceSettings.model_fields or variable == CONFIG_VARIABLE
        if variable.startswith(PREFIX) and not known:
            raise UsageError(f"There is no setting {variable}.", _meant(name, PREFIX, str.upper))


def _meant(name: str, prefix: str = "", written: Any = str) -> str:  # noqa: ANN401
    close = difflib.get_close_matches(name, ServiceSettings.model_fields, 1) or ["port"]
    return f"Do you mean {prefix}{written(close[0])}? See: dateline serve --help"


def _explained(error: ValidationError, flags: dict[str, Any], file: Path | None) -> UsageError:
    """The error with the places that the values come from; never with the key itself."""
    problems = []
    for detail in error.errors(include_input=False, include_url=False):
        name = str(detail["loc"][0])
        variable = f"{PREFIX}{name.upper()}"
        if name in flags:
            place = f"--{name.replace('_', '-')}"
        elif variable in os.environ:
            place = variable
        else:
            place = f"{file}: {name}"
        problems.append(f"{place}: {detail['msg'].removeprefix('Value error, ')}")
    return UsageError("; ".join(problems) + ".", "See: dateline serve --help")
