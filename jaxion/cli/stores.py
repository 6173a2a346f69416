"""`jaxion resume STORE` and `jaxion status STORE`."""

import jaxion
from jaxion.cli.arguments import Json, StorePath
from jaxion.cli.exits import DONE
from jaxion.cli.output import finish, print_json


def resume(store: StorePath, /) -> int:
    """Complete a sweep that was interrupted; a complete one is left as it is."""
    done = jaxion.resume(store)
    print(done)
    return finish(done)


def status(store: StorePath, /, json: Json = False) -> int:
    """How far a sweep is, and how its cells fared."""
    found = jaxion.store_status(store)
    if json:
        print_json(found)
        return DONE
    failed = "".join(f", {count} {name}" for name, count in found["failed"].items())
    print(f"{found['done']} of {found['cells']} cells done: {found['ok']} ok{failed}; {found['missing_chunks']} chunks missing")
    if found["missing_chunks"]:
        print(f"`jaxion resume {store}` continues it")
    return DONE
