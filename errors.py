"""The root of the one tree of errors.

InsightsError
├── UnknownEvent, DuplicateEvent, …       events/errors.py
├── DuplicateHandler                      handlers/registry.py
├── Outcome: Failed, Reject, RetryLater   handlers/outcomes.py
├── WrongSetting, MissingSetting          settings.py
├── ServerFailed, NotReady, WrongInput …  workers/
├── ProviderDown                          here: services raise it, workers rest on it
└── LearningError and its kin             learning/errors.py
"""


class InsightsError(Exception):
    """The base of every error that this project raises on purpose."""


class ProviderDown(InsightsError):
    """Raised when a provider cannot be reached or is out of order: nobody's fault here."""
