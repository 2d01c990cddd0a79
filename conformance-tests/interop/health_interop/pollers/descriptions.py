"""programs/: which programs there are, how each is set up, and which verdicts are expected."""
import dataclasses
import tomllib


@dataclasses.dataclass(frozen=True)
class State:
    """A state of a server; `after` is the state that it comes from."""

    id: str
    name: str
    after: str | None = None


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """An endpoint of every server."""

    preset: str
    path: str
    target: str  # the path, with the query that runs the checks if the preset needs one


@dataclasses.dataclass(frozen=True)
class Config:
    """A configuration of a program, whose text is in configs/, or a command line."""

    id: str
    text: str
    command: str | None = None
    shown: bool = True  # on the page, to be copied


@dataclasses.dataclass(frozen=True)
class Setup:
    """A configuration of a program, with an endpoint to poll."""

    config: Config
    endpoint: Endpoint
    expected: dict  # state to texts
    exceptions: dict  # adapter to state to texts

    @property
    def id(self):
        return f"{self.config.id}_{self.endpoint.preset}"

    def expects(self, state, adapter):
        return self.exceptions.get(adapter, self.expected)[state]


@dataclasses.dataclass(frozen=True)
class Description:
    """A program as its file describes it."""

    id: str
    name: str
    text: str
    binary: str
    columns: tuple
    setups: tuple
    package: str | None = None  # of Debian
    file: str | None = None  # in configs/
    language: str = "console"
    passive: bool = False  # polls nothing by itself
    version: tuple = ("--version",)  # the arguments that print the version
    page: dict = dataclasses.field(default_factory=dict)  # words in its configuration, on the page
    test: dict = dataclasses.field(default_factory=dict)  # the same, in a run

    @property
    def configs(self):
        return list({setup.config.id: setup.config for setup in self.setups}.values())


def load(directory):
    """Returns the states, endpoints and programs in the files of a directory."""
    common = _read(directory / "common.toml")
    states = [State(id, **fields) for id, fields in common["state"].items()]
    endpoints = {preset: Endpoint(preset, **fields) for preset, fields in common["endpoint"].items()}
    programs = [_program(id, _read(directory / f"{id}.toml"), states, endpoints) for id in common["programs"]]
    return states, list(endpoints.values()), programs


def _read(path):
    with open(path, "rb") as file:
        return tomllib.load(file)


def _program(id, fields, states, endpoints):
    configs = {name: Config(name, **inner) for name, inner in fields.pop("config").items()}
    setups = tuple(
        Setup(
            configs[setup["config"]],
            endpoints[setup["endpoint"]],
            _table(setup["expect"], states),
            {adapter: _table(rows, states) for adapter, rows in setup.get("except", {}).items()},
        )
        for setup in fields.pop("setup")
    )
    return Description(id, setups=setups, **fields)


def _table(rows, states):
    """Reads rows that start with the states that they are for; every state must occur."""
    table = {state: tuple(texts) for names, *texts in rows for state in names.split(", ")}
    if set(table) != {state.id for state in states}:
        raise ValueError(f"a table of expectations is for the states {', '.join(table)}")
    return table
