# Runs a command of Airbyte's protocol: airbyte.py MANIFEST spec|check|discover|read ...
import sys

import yaml
from airbyte_cdk.entrypoint import AirbyteEntrypoint, launch
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

manifest, *arguments = sys.argv[1:]
given = vars(AirbyteEntrypoint.parse_args(arguments))
with open(manifest, encoding="utf-8") as file:
    source = ConcurrentDeclarativeSource(
        source_config=yaml.safe_load(file),
        config=ConcurrentDeclarativeSource.read_config(given["config"]) if given.get("config") else None,
        catalog=ConcurrentDeclarativeSource.read_catalog(given["catalog"]) if given.get("catalog") else None,
        state=ConcurrentDeclarativeSource.read_state(given["state"]) if given.get("state") else [],
    )
launch(source, arguments)
