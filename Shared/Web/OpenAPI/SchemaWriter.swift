internal import JSON

/// Writes schemas as JSON Schema 2020-12, which OpenAPI 3.1 takes as it is; named ones once, under components.
struct SchemaWriter {
    private(set) var named = JSONObject()

    mutating func write(_ schema: Schema) -> JSONValue {
        switch schema {
        case .any: return [:]
        case .boolean: return ["type": "boolean"]
        case .number: return ["type": "number"]
        case .integer(let range):
            return ["type": "integer", "minimum": .int(Int64(range.lowerBound)), "maximum": .int(Int64(range.upperBound))]
        case .string(let rule): return write(rule)
        case .array(let item, let count):
            var object: JSONObject = ["type": "array", "items": write(item), "maxItems": .int(Int64(count.upperBound))]
            if count.lowerBound > 0 { object["minItems"] = .int(Int64(count.lowerBound)) }
            return .object(object)
        case .object(let members, let open): return write(members, open)
        case .map(let value, let maximum):
            return ["type": "object", "additionalProperties": write(value), "maxProperties": .int(Int64(maximum))]
        case .nullable(let schema): return ["anyOf": [write(schema), ["type": "null"]]]
        case .anyOf(let choices): return ["anyOf": .array(choices.map { write($0) })]
        case .named(let name, let schema):
            if named[name] == nil {
                // Holds the place, so that a schema that names itself ends.
                named[name] = [:]
                named[name] = write(schema)
            }
            return ["$ref": .string("#/components/schemas/\(name)")]
        }
    }

    private func write(_ rule: TextRule) -> JSONValue {
        var object: JSONObject = ["type": "string"]
        if !rule.words.isEmpty {
            object["enum"] = .array(rule.words.map { .string($0) })
            return .object(object)
        }
        if let format = rule.format { object["pattern"] = .string(format.pattern) }
        if rule.length.lowerBound > 0 { object["minLength"] = .int(Int64(rule.length.lowerBound)) }
        object["maxLength"] = .int(Int64(rule.length.upperBound))
        return .object(object)
    }

    private mutating func write(_ members: [Schema.Member], _ open: Bool) -> JSONValue {
        var properties = JSONObject()
        for member in members {
            var schema = write(member.schema)
            if let summary = member.summary, case .object(var object) = schema {
                object["description"] = .string(summary)
                schema = .object(object)
            }
            properties[member.name] = schema
        }
        var object: JSONObject = ["type": "object", "properties": .object(properties)]
        let required = members.filter { !$0.isOptional }.map { JSONValue.string($0.name) }
        if !required.isEmpty { object["required"] = .array(required) }
        if !open { object["additionalProperties"] = false }
        return .object(object)
    }
}
