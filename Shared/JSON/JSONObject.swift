/// The members of a JSON object in the order written, no two of one key. Keys are compared byte by byte.
public struct JSONObject: Sendable {
    /// A key and its value.
    public struct Member: Sendable, Hashable {
        /// The name.
        public let key: String
        /// What it names.
        public var value: JSONValue

        /// A key and its value.
        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }

        /// Equal keys, byte by byte, and equal values.
        public static func == (a: Member, b: Member) -> Bool { sameBytes(a.key, b.key) && a.value == b.value }
    }

    /// The members in the order written.
    public private(set) var members: [Member]

    /// No members.
    public init() { members = [] }

    /// The members given; of two with one key the later value stays, in the place of the first.
    public init(_ elements: some Sequence<(String, JSONValue)>) {
        members = []
        for (key, value) in elements { self[key] = value }
    }

    /// Members known to have different keys.
    init(distinct members: [Member]) { self.members = members }

    /// How many members there are.
    public var count: Int { members.count }

    /// Whether there are none.
    public var isEmpty: Bool { members.isEmpty }

    /// The keys in the order written.
    public var keys: [String] { members.map(\.key) }

    /// The value of a key. Setting adds at the end or replaces; nil removes. A search from the front, for objects as
    /// people write them: index larger ones yourself.
    public subscript(key: String) -> JSONValue? {
        get { members.first { sameBytes($0.key, key) }?.value }
        set {
            let index = members.firstIndex { sameBytes($0.key, key) }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(key: key, value: value))
            case (nil, nil): break
            }
        }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// Of two members with one key the later stays.
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}

extension JSONObject: Hashable {
    /// Equal members in whatever order: RFC 8259 §1 calls objects unordered.
    public static func == (a: JSONObject, b: JSONObject) -> Bool {
        if a.count != b.count { return false }
        if a.members == b.members { return true }
        return inCanonicalOrder(a.members) == inCanonicalOrder(b.members)
    }

    /// Agrees with `==`: the order does not matter.
    public func hash(into hasher: inout Hasher) {
        var sum = 0
        for member in members { sum = sum &+ member.hashValue }
        hasher.combine(sum)
    }
}
