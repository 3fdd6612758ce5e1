"""Who wrote which cell, told by the server alone: its commits, and the states that it says they led to."""

from dataclasses import dataclass

LISTS = ("tags", "disks")


@dataclass(frozen=True)
class Write:
    """One commit: cells are path -> (before, after)."""

    row: str
    commit: str
    by: str
    action: str
    cells: dict


def cells_of(document):
    """The cells of a document: leaves of nested documents, everything else whole; blank ones are left out."""
    found = {}
    for name, value in document.items():
        if name.startswith("_"):
            continue
        if name == "site" and isinstance(value, dict):
            found |= {f"site.{inner}": leaf for inner, leaf in value.items()}
        else:
            found[name] = value
    return {path: value for path, value in found.items() if value not in (None, [], {})}


class Told:
    """All writes of a table, the oldest first."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.writes = {}
        """`_id` of the row -> its writes."""

    def look(self, ids):
        """Read the commits of rows that are new, and return them."""
        fresh = []
        for id_ in ids:
            known = self.writes.setdefault(id_, [])
            commits = list(self.endpoint.commits(id_).fetch_all())[::-1]
            for commit in commits[len(known) :]:
                state = self.endpoint.commit(id_, commit["_id"]).to_dict()["value_at"]
                state = {} if commit["action"] == "delete" else cells_of(state)
                before = self.state(id_)
                cells = {
                    path: (before.get(path), state.get(path))
                    for path in before.keys() | state.keys()
                    if before.get(path) != state.get(path)
                }
                one = Write(id_, commit["_id"], commit["modified_by"], commit["action"], cells)
                known.append(one)
                fresh.append(one)
        return fresh

    def state(self, id_):
        """The cells of a row as its commits tell them; none if it is gone."""
        found = {}
        for write in self.writes[id_]:
            found |= {path: after for path, (_, after) in write.cells.items()}
        return {path: value for path, value in found.items() if value is not None}

    def is_gone(self, id_):
        """Whether the row was deleted."""
        return self.writes[id_][-1].action == "delete"
