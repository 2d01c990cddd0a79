"""programs/: which programs there are, how each is set up, and what each is expected to conclude."""
import dataclasses
import tomllib


@dataclasses.dataclass(frozen=True)
class State:
    """A state of a server; `after` is the one that it comes from."""

    id: str
    name: str
    after: str | None


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """An endpoint of every server."""

    preset: str
    path: str
    asked: str  # the path with what asks for all checks, where nothing else does


@dataclasses.dataclass(frozen=True)
class Config:
    """A configuration of a program, or a command line; its text is in configs/ unless it is a command."""

    id: str
    says: str
    command: str | None
    shown: bool  # on the page, to be copied


@dataclasses.dataclass(frozen=True)
class Setup:
    """A configuration of a program, with an endpoint to ask."""

    config: Config
    endpoint: Endpoint
    expected: dict  # state to texts
    exceptions: dict  # adapter to state to texts

    @property
    def id(self):
        return f"{self.config.id}_{self.endpoint.preset}"

    def expects(self, state, adapter):
        return self.exceptions.get(adapter, {}).get(state) or self.expected[state]


@dataclasses.dataclass(frozen=True)
class Described:
    """A program as its file describes it."""

    id: str
    name: str
    says: str
    columns: tuple
    setups: tuple
    package: str | None = None  # of Debian
    file: str | None = None  # in configs/
    language: str = "console"
    passive: bool = False  # asks nothing by itself
    version: tuple = ("--version",)  # what to ask the program for its version
    page: dict = dataclasses.field(default_factory=dict)  # words in its configuration, on the page
    test: dict = dataclasses.field(default_factory=dict)  # the same, in a run

    @property
    def configs(self):
        return list({setup.config.id: setup.config for setup in self.setups}.values())


def load(directory):
    """States, endpoints and programs, as the files have them."""
    common = _read(directory / "common.toml")
    states = [State(id, about["name"], about.get("after")) for id, about in common["state"].items()]
    endpoints = [Endpoint(preset, **about) for preset, about in common["endpoint"].items()]
    programs = [
        _program(id, _read(directory / f"{id}.toml"), states, endpoints) for id in common["programs"]
    ]
    return states, endpoints, programs


def _read(path):
    with open(path, "rb") as file:
        return tomllib.load(file)


def _program(id, about, states, endpoints):
    configs = {
        name: Config(name, inner["says"], inner.get("command"), inner.get("shown", True))
        for name, inner in about.pop("config").items()
    }
    by_preset = {endpoint.preset: endpoint for endpoint in endpoints}
    setups = tuple(
        Setup(
            configs[inner["config"]],
            by_preset[inner["endpoint"]],
            _table(inner["expect"], states),
            {adapter: _table(rows, states) for adapter, rows in inner.get("except", {}).items()},
        )
        for inner in about.pop("setup")
    )
    tuples = {key: tuple(about.pop(key)) for key in ("columns", "version") if key in about}
    return Described(id, setups=setups, **tuples, **about)


def _table(rows, states):
    """Rows that start with the states they are for; every state must be there."""
    table = {}
    for names, *texts in rows:
        table |= {name: tuple(texts) for name in names.split(", ")}
    if set(table) != {state.id for state in states}:
        raise ValueError(f"a table of expectations is for the states {', '.join(table)}")
    return table
