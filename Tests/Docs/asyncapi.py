"""Writes into docs/asyncapi.json what Shared/Events says: every event type, and what its data has. Usage: asyncapi.py [--write]

Without --write it only says whether the document is up to date. What is written by hand there (info, servers, channel, envelope) stays.
Read are the catalogue, and of each payload the members that its reader takes and the types of its properties.
"""

import json
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
place = root / "docs/asyncapi.json"
document = json.loads(place.read_text())
catalogue = (root / "Shared/Events/EventCatalog.swift").read_text()
types = re.findall(r'"([a-z-]+\.[a-z-]+)"', catalogue)

reference = lambda name: {"$ref": f"#/components/schemas/{name}"}
basic = {
    "String": {"type": "string", "minLength": 1, "maxLength": 200},
    "Int": {"type": "integer", "minimum": 0, "maximum": 2**53 - 1},
    "Bool": {"type": "boolean"},
    "Digest": reference("digest"),
    "Timestamp": reference("time"),
    "Amount": reference("amount"),
    "Asset": reference("asset"),
    "AccountID": reference("account"),
}
shared = {
    "digest": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
    "time": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z$"},
    "asset": {"type": "string", "description": "Code and fractional digits: USDC/6.", "pattern": "^[A-Z][A-Z0-9]{0,15}/(0|[1-9]|1[0-8])$"},
    "amount": {
        "type": "object",
        "additionalProperties": False,
        "required": ["amount", "asset"],
        "properties": {"amount": {"type": "string", "pattern": "^-?(0|[1-9][0-9]*)$", "description": "Minor units."}, "asset": reference("asset")},
    },
    "account": {"type": "string", "description": "<kind>:<owner>, such as payer:acme.", "minLength": 3, "maxLength": 200},
}
parts = {}  # the schema of each payload by its Swift name
names = {}  # the Swift name of each event type


def camel(key):
    first, *rest = key.split("_")
    return first + "".join(word.capitalize() for word in rest)


def schema(type_):
    """What a property's Swift type is as JSON, and whether it has to be there."""
    if type_.endswith("?"):
        return schema(type_[:-1])[0], False
    if listed := re.fullmatch(r"\[(\w+)\]", type_):
        return {"type": "array", "items": schema(listed[1])[0]}, False
    if listed := re.fullmatch(r"EvidenceList<(\w+)>", type_):
        few = {"type": "array", "maxItems": 200, "items": schema(listed[1])[0]}
        inside = {"type": "object", "additionalProperties": False, "required": ["entries"], "properties": {"entries": few}}
        outside = {
            "type": "object",
            "additionalProperties": False,
            "required": ["count", "evidence"],
            "description": "More than 200 entries: SHA-256 of their canonical JSON array in the evidence store.",
            "properties": {"count": basic["Int"], "evidence": basic["Digest"]},
        }
        return {"oneOf": [inside, outside]}, True
    if type_ in basic:
        return basic[type_], True
    return reference(type_), True


for path in sorted((root / "Shared/Events/Payloads").rglob("*.swift")):
    for chunk in re.split(r"^public struct ", path.read_text(), flags=re.M)[1:]:
        name = re.match(r"\w+", chunk)[0]
        reader = re.search(r"public init\(_ fields: JSONFields\).*?^    }", chunk, re.M | re.S)
        keys = reader and re.search(r"refuseUnknown\(\s*keys: \[(.*?)\]", reader[0], re.S)
        if not keys:
            continue
        declared = {}
        for listed, type_ in re.findall(r"public (?:var|let) ([\w, ]+): ([\w<>\[\]?]+)", chunk):
            declared |= {one: type_ for one in listed.split(", ")}
        members, required = {}, []
        for key in re.findall(r'"(\w+)"', keys[1]):
            assigned = re.search(r'(\w+) = [^\n]*"' + key + '"', reader[0])
            type_ = declared.get(camel(key)) or (assigned and declared.get(assigned[1]))
            if not type_:
                sys.exit(f"{path.name}: no property of {name} is read from {key}")
            members[key], must = schema(type_)
            if must:
                required.append(key)
        said = re.search(r"((?:^    ///.*\n)*)    public static let type = \"(.*?)\"", chunk, re.M)
        if said:
            names[said[2]] = name
        parts[name] = {"type": "object", "additionalProperties": False, "required": sorted(required), "properties": members}

unread = sorted(set(re.findall(r'#/components/schemas/(\w+)"', json.dumps(parts))) - set(parts) - set(shared))
if unread:
    sys.exit(f"nothing says what these are: {', '.join(unread)}")

schemas = {name: document["components"]["schemas"][name] for name in ("headers", "event")} | shared | dict(sorted(parts.items()))
messages = {"event": document["components"]["messages"]["event"]}
for type_ in types:
    data = reference(names[type_]) if type_ in names else {"type": "object"}
    messages[type_] = {
        "name": type_,
        "contentType": "application/json",
        "headers": reference("headers"),
        "payload": {"allOf": [reference("event"), {"type": "object", "properties": {"type": {"const": type_}, "data": data}}]},
        "bindings": {"$ref": "#/components/messageBindings/event"},
    }
document["components"]["schemas"] = schemas
document["components"]["messages"] = messages
document["channels"]["events"]["messages"] = {name: {"$ref": f"#/components/messages/{name}"} for name in messages}
text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
if "--write" in sys.argv:
    place.write_text(text)
elif text != place.read_text():
    sys.exit("docs/asyncapi.json is not what Shared/Events says: python3 Tests/Docs/asyncapi.py --write")
print(f"  {len(types)} event types, {len(names)} with their data")
