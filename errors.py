"""The root of the one tree of errors.

InsightsError
├── UnknownEvent, DuplicateEvent, …       events/errors.py
├── DuplicateHandler                      handlers/registry.py
├── Outcome: Failed, Reject, RetryLater   handlers/outcomes.py
├── WrongSetting, MissingSetting          settings.py
├── ServerFailed, NotReady, WrongInput …  workers/
├── ProviderDown                          here: services raise it, workers rest on it
│   └── ProviderUncertain, ProviderLimited, KeyRefused
├── ProviderBusy                          here: its limit is used up, workers try again later
├── ProviderRefused                       here: what was asked for is wrong, whenever it is asked
├── CommandFailed, AccountClosed          services/
└── LearningError and its kin             learning/errors.py
"""


class InsightsError(Exception):
    """The base of every error that this project raises on purpose."""


class ProviderDown(InsightsError):
    """Raised when a provider cannot be reached or is out of order: nobody's fault here."""


class ProviderUncertain(ProviderDown):
    """Raised when a provider did not answer, but may have done what it was asked for."""


class ProviderLimited(ProviderDown):
    """Raised when a provider is asked too often, by us or by others on the same account."""


class KeyRefused(ProviderDown):
    """Raised when a provider does not take our key: nothing can be done until a person mends it."""


class ProviderBusy(InsightsError):
    """Raised when a provider's limit is used up by what goes first: try again in a while."""


class ProviderRefused(InsightsError):
    """Raised when a provider answers that it will never do this: asking again does not help."""
