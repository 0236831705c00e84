public import Crypto
public import JSON

extension JSONFields {
    /// A digest, `sha256:<hex>`.
    public func digest(_ name: String) throws(JSONFieldError) -> Digest {
        let field = try field(name)
        guard let digest = Digest(prefixed: try field.string()) else { throw field.error("must be sha256:<64 hex digits>") }
        return digest
    }

    /// A digest, or nil.
    public func optionalDigest(_ name: String) throws(JSONFieldError) -> Digest? {
        optionalField(name) == nil ? nil : try digest(name)
    }

    /// A time, RFC 3339 in UTC with microseconds.
    public func timestamp(_ name: String) throws(JSONFieldError) -> Timestamp {
        let field = try field(name)
        guard let time = Timestamp(try field.string(bytes: 1...40)) else {
            throw field.error("must be RFC 3339 in UTC with six fractional digits and Z")
        }
        return time
    }

    /// A time, or nil.
    public func optionalTimestamp(_ name: String) throws(JSONFieldError) -> Timestamp? {
        optionalField(name) == nil ? nil : try timestamp(name)
    }

    /// An id as text: 1 to 200 bytes.
    public func id(_ name: String) throws(JSONFieldError) -> String { try string(name, bytes: 1...200) }

    /// An id, or nil.
    public func optionalID(_ name: String) throws(JSONFieldError) -> String? { try optionalString(name, bytes: 1...200) }

    /// A count: a whole number from 0 below 2^53.
    public func count(_ name: String) throws(JSONFieldError) -> Int { try int(name, in: 0...(1 << 53) - 1) }

    /// A list of ids; an absent one is empty.
    public func ids(_ name: String, atMost limit: Int = 200) throws(JSONFieldError) -> [String] {
        guard let fields = try optionalArray(name, count: 0...limit) else { return [] }
        var ids: [String] = []
        for field in fields { ids.append(try field.string(bytes: 1...200)) }
        return ids
    }

    /// A list of counts; an absent one is empty.
    public func counts(_ name: String, atMost limit: Int) throws(JSONFieldError) -> [Int] {
        guard let fields = try optionalArray(name, count: 0...limit) else { return [] }
        var counts: [Int] = []
        for field in fields { counts.append(try field.int(in: 0...(1 << 53) - 1)) }
        return counts
    }

    /// A list of objects; an absent one is empty.
    public func list<Element>(
        _ name: String, atMost limit: Int = 200, _ read: (JSONFields) throws(JSONFieldError) -> Element
    ) throws(JSONFieldError) -> [Element] {
        guard let fields = try optionalArray(name, count: 0...limit) else { return [] }
        var elements: [Element] = []
        for field in fields { elements.append(try read(try field.object())) }
        return elements
    }
}

extension JSONValue {
    /// An object of these members, without those that are nil.
    public static func members(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
        .object(JSONObject(members.compactMap { member in member.value.map { (member.key, $0) } }))
    }

    /// A list of texts.
    public static func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

    /// A count.
    public static func count(_ count: Int) -> JSONValue { .int(Int64(count)) }

    /// A digest, `sha256:<hex>`.
    public static func digest(_ digest: Digest) -> JSONValue { .string(digest.prefixed) }
}
