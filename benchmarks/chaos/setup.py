"""Everything that takes part in a run: started, and stopped whatever happens."""

import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.chaos.faults.injector import FaultInjector
from benchmarks.chaos.faults.kinds import choose
from benchmarks.chaos.faults.message_duplicator import MessageDuplicator
from benchmarks.chaos.faults.process_faults import ProcessFaults
from benchmarks.chaos.faults.provider_faults import ProviderFaults
from benchmarks.chaos.faults.server_faults import ServerFaults
from benchmarks.chaos.observed.progress import ProgressWatcher
from benchmarks.chaos.options import Options
from benchmarks.chaos.system import provider_double
from benchmarks.chaos.system.processes import ProductProcesses, running_product
from benchmarks.chaos.system.provider_client import PROVIDER_URL
from benchmarks.chaos.system.release import PACKAGES, next_to
from benchmarks.chaos.system.servers import PrivateServers, prepare_database, private_servers
from benchmarks.chaos.system.trap import TRAP, Trap
from benchmarks.errors import ChaosFailed
from benchmarks.processes import Processes
from runtime.environment import as_variable, environment
from runtime.sandbox_settings import sandbox_settings
from settings import Settings


@dataclass(frozen=True)
class Setup:
    """All parts of a run; `calls_record` is the provider double's file."""

    servers: PrivateServers
    processes: Processes
    product: ProductProcesses
    progress: ProgressWatcher
    duplicator: MessageDuplicator
    injector: FaultInjector
    calls_record: Path


@contextmanager
def started(settings: Settings, options: Options) -> Iterator[Setup]:
    """Start everything; stop it at the end of the `with` block, whatever happens in it."""
    with ExitStack() as stack:
        servers = stack.enter_context(
            private_servers(settings, options.logs, upstash=options.upstash)
        )
        processes = stack.enter_context(Processes(servers.folder, variables(servers)))
        calls_record = servers.folder / "calls.jsonl"
        provider_url = start_provider(processes, calls_record)
        trap = Trap(servers.folder / "trap")
        given = processes.environment | {PROVIDER_URL: provider_url, TRAP: str(trap.path)}
        next_release = next_to(options.beside, servers.folder)
        # The newer one first, as in a deployment; ours must then leave alone what it does not know.
        next_release.migrate(given, servers.folder)
        prepare_database(servers.assembly)
        progress = ProgressWatcher(servers.valkey.url)
        duplicator = MessageDuplicator(servers.valkey.url, random.Random(options.seed))
        for thread in (progress, duplicator):
            thread.start()
            stack.callback(thread.stop)
        product = stack.enter_context(running_product(servers, given, next_release))
        progress.wait_until_listening()
        choice = random.Random(options.seed)
        kinds = {
            **ProcessFaults(product, trap, choice).kinds(),
            **ProviderFaults(provider_url, servers.sandbox, servers.over_rest, choice).kinds(),
            **ServerFaults(servers.postgres, servers.valkey, progress, duplicator).kinds(),
        }
        injector = FaultInjector(choose(kinds, options.faults), servers.assembly)
        stack.callback(injector.stop)
        yield Setup(servers, processes, product, progress, duplicator, injector, calls_record)


def variables(servers: PrivateServers) -> dict[str, str]:
    """The environment variables of all processes of the run."""
    settings = servers.assembly.settings
    return environment(settings) | {
        "EXTRA_PACKAGES": ",".join(PACKAGES),
        "LOG_FORMAT": "json",
        "SENTRY_DSN": as_variable(sandbox_settings(settings, servers.sandbox.url).sentry_dsn),
        "SENTRY_TRACES_SAMPLE_RATE": "0.1",
    }


def start_provider(processes: Processes, calls_record: Path) -> str:
    """Start the provider's double; return its address. Raises ChaosFailed."""
    calls_record.touch()
    command = (sys.executable, "-m", provider_double.__name__, str(calls_record))
    provider = processes.start("provider", *command, talks=True)
    url = provider.stdout.readline().strip() if provider.stdout else ""
    if not url:
        raise ChaosFailed("The provider's double does not start.")
    return url
