"""What a write makes of a document, in plain words: creates, merges, and how answers are compared."""

from definitions import ABSENT, LISTS


def squeezed(value):
    """A Mixed value as it is stored."""
    if isinstance(value, list):
        return [None if (one := squeezed(member)) is ABSENT else one for member in value]
    if isinstance(value, dict):
        kept = {key: one for key, member in value.items() if (one := squeezed(member)) is not ABSENT}
        return kept or ABSENT
    return value


def created(definition, stored):
    """A new document, or a member of a document array, of what was sent."""
    document = {}
    for name, one in definition.items():
        value = stored.get(name, ABSENT)
        if one.kind == "nested":
            value = created(one.fields, value if isinstance(value, dict) else {}) or ABSENT
        elif value is ABSENT:
            value = one.default
            if value is ABSENT and one.kind in LISTS:
                value = []
        else:
            value = placed(one, value)
        if value is not ABSENT:
            document[name] = value
    return document


def placed(one, value):
    if value is None:
        return [] if one.kind in LISTS else None
    if one.kind == "documents":
        return [None if member is None else created(one.fields, member) for member in value]
    return squeezed(value) if one.kind in {"mixed", "any"} else value


def merged(definition, before, stored, *, force=False):
    """A document after an update."""
    document = dict(before)
    for name, value in stored.items():
        one, old = definition[name], before.get(name)
        if one.kind == "nested":
            if not isinstance(value, dict) or not value:
                continue
            value = merged(one.fields, old or {}, value, force=force) or ABSENT
        elif one.kind == "mixed" and isinstance(value, dict) and isinstance(old, dict) and not force:
            value = mixed(old, value)
        else:
            value = placed(one, value)
        document.pop(name, None)
        if value is not ABSENT:
            document[name] = value
    return filled(definition, document)


def mixed(old, new):
    result = dict(old)
    for key, value in new.items():
        before = result.pop(key, None)
        if value is not None:
            both = before and isinstance(before, dict) and isinstance(value, dict)
            value = mixed(before, value) if both else squeezed(value)
            if value is not ABSENT:
                result[key] = value
    return result or ABSENT


def filled(definition, document):
    """The document with the defaults of what it lacks."""
    for name, one in definition.items():
        if one.kind == "nested":
            inner = filled(one.fields, dict(document.get(name) or {}))
            if inner:
                document[name] = inner
        elif one.default is not ABSENT and name not in document:
            document[name] = one.default
    return document


def plain(value, top=True):
    """A document without ids and metadata; those of members of document arrays, too."""
    if isinstance(value, list):
        return [plain(one, False) for one in value]
    if not isinstance(value, dict):
        return value
    dropped = {"_id", "_sis", "_v"} if top else {"_id"}
    return {key: plain(one, False) for key, one in value.items() if key not in dropped}


def view(definition, document):
    """A document to compare: an array that was cleared may be shown as null or as an empty one."""
    document = plain(document)
    for name, one in definition.items():
        if one.kind in LISTS and document.get(name, ABSENT) is None:
            document[name] = []
        elif one.kind == "nested" and isinstance(document.get(name), dict):
            document[name] = view(one.fields, document[name])
    return document


def at(document, path):
    for key in path.split("."):
        document = document.get(key, ABSENT) if isinstance(document, dict) else ABSENT
    return document


def flattened(definition, sent):
    """What is sent for nested objects as dotted keys; a Mixed value would be replaced by its own."""
    flat = {}
    for name, value in sent.items():
        one = definition[name]
        simple = one.kind == "nested" and isinstance(value, dict) and value
        if simple and all(one.fields[key].kind in {"scalar", "array", "documents"} for key in value):
            flat |= {f"{name}.{key}": inner for key, inner in value.items()}
        else:
            flat[name] = value
    return flat
