"""The environment in which a child process finds the settings of its parent."""

from pydantic import SecretStr

from settings import COMPLETE_ENVIRONMENT, Settings


def environment(settings: Settings) -> dict[str, str]:
    """All settings as environment variables, those that are unset as ''.

    `load_settings` in the child then reads no `.env`, which would fill in what is unset here.
    """
    values = {name.upper(): as_variable(getattr(settings, name)) for name in Settings.model_fields}
    # A child may run in another folder.
    home = str(settings.insights_home.resolve())
    return values | {"INSIGHTS_HOME": home, COMPLETE_ENVIRONMENT: "1"}


def as_variable(value: object) -> str:
    """The value of a setting as the text that `Settings` reads; secrets are shown."""
    match value:
        case None:
            return ""
        case SecretStr():
            return value.get_secret_value()
        case tuple():
            return ",".join(map(as_variable, value))
        case _:
            return str(value)
