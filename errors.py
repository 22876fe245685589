"""The root of the tree of errors, and the errors of providers.

InsightsError
├── ProviderDown                        here; services raise it, the circuit breaker counts it
│   ├── ProviderUncertain               here
│   ├── ProviderLimited                 here
│   ├── CannotWork                      services/redis/commands.py
│   └── KeyRefused                      here
├── ProviderBusy                        here; the throttle raises it, workers try again later
├── ProviderRefused                     here; services raise it, workers do not try again
├── UnknownEvent                        events/errors.py
├── Unstorable                          events/errors.py
├── TooFarAhead                         events/errors.py
├── DuplicateEvent                      events/errors.py
├── UnerasableField                     events/errors.py
├── DuplicateHandler                    handlers/registry.py
├── WrongOrder                          handlers/order.py
├── Outcome                             handlers/outcomes.py; Failed, Reject, RetryLater
├── LearningError                       learning/errors.py, which has a tree of its own
├── NotStored                           services/storage.py
├── WriteOvertaken                      services/storage.py
├── NotOwned                            handlers/training_access.py
├── TrainingStopped                     handlers/training_access.py
├── AccountClosed                       services/redis/sessions.py
├── CommandFailed                       services/redis/commands.py
├── InvalidEvent                        web/cloudevents/parsing.py
├── Problem                             web/problems.py
├── WorkerDied                          workers/failure_policy.py
├── UnknownHandler                      workers/worker.py
├── NoHandler                           runtime/providers.py
├── ServerFailed                        runtime/embedded/server.py
├── UnknownProvider                     runtime/assembly.py
├── NotReady                            runtime/stack.py
├── WrongInput                          cli/app.py
├── DatabaseRefused                     cli/app.py
├── UnknownScenario                     cli/bench.py
├── DemoFailed                          cli/demo/client.py
├── BenchFailed                         benchmarks/errors.py
├── ChaosFailed                         benchmarks/errors.py
├── WrongSetting                        settings.py
└── MissingSetting                      settings.py
"""


class InsightsError(Exception):
    """The base of every error that this project raises on purpose."""


class ProviderDown(InsightsError):
    """Raised when a provider cannot be reached or is out of order. No attempt is spent."""


class ProviderUncertain(ProviderDown):
    """Raised when a provider did not answer, but may have done what it was asked for."""


class ProviderLimited(ProviderDown):
    """Raised when a provider is asked too often, by us or by others on the same account."""


class KeyRefused(ProviderDown):
    """Raised when a provider refuses our key: nothing can be done until an operator corrects it."""


class ProviderBusy(InsightsError):
    """Raised when other work uses up all that a provider allows; try again in a while."""


class ProviderRefused(InsightsError):
    """Raised when a provider says that a request is wrong: asking again does not help."""
