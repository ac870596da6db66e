"""`dateline serve`, whose options are the service's settings; loaded only when it is called."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any, Optional, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from .options import DEFAULT_INDEX, IndexOption, open_index
from .service.settings import CONFIG_VARIABLE, PREFIX, ServiceSettings, load_settings

SECRET = ("api_key",)  # not on a command line, which everybody on the machine can see
EPILOG = f"Example: dateline serve --port 8080. Or {PREFIX}PORT=8080, or port = 8080 in the file."

app = typer.Typer(add_completion=False)


def _serve(
    *,
    index: IndexOption = DEFAULT_INDEX,
    config: Annotated[
        Path | None,
        typer.Option(
            envvar=CONFIG_VARIABLE,
            help="TOML file with a table \\[serve] (default: dateline.toml here, if there is one).",
        ),
    ] = None,
    **flags: Any,  # noqa: ANN401
) -> None:
    """Answer over HTTP; the API is described at /docs.

    Settings are taken from options, else from the environment, else from the file.
    """
    settings = load_settings(config, **flags)
    from .assistant import Assistant  # noqa: PLC0415
    from .service.server import run  # noqa: PLC0415

    with open_index(index) as opened:
        run(Assistant(opened), opened.path, settings)


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    """A setting as an option that is None where it is not given."""
    default = " ".join(field.default) if isinstance(field.default, tuple) else field.default
    told = "" if default in (None, "") else f" (default: {'yes' if default is True else default})"
    several = "; several with commas" if isinstance(field.default, tuple) else ""
    text = f"{field.description}{several}{told}"
    option = typer.Option(help=text[:1].upper() + text[1:], show_default=False)
    kind: Any = Optional[_kind(field.annotation)]  # noqa: UP045 - computed
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option]
    )


def _kind(annotation: Any) -> Any:  # noqa: ANN401 - a type, as `typing` has it
    """The type of an option's value: that of the setting, without None and validators."""
    if type(None) in get_args(annotation):
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is tuple:
        return list[str]
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _with_options() -> None:
    """Make the command, with an option for every setting."""
    signature = inspect.signature(_serve, eval_str=True)
    fixed = [one for one in signature.parameters.values() if one.name != "flags"]
    fields = ServiceSettings.model_fields.items()
    options = [_option(name, field) for name, field in fields if name not in SECRET]
    parameters = [*fixed, *options]
    setattr(_serve, "__signature__", signature.replace(parameters=parameters))  # noqa: B010
    app.command("serve", epilog=EPILOG)(_serve)


_with_options()
