/// An object and its place in the document: reads members by name, with errors that name the place.
///
/// The `optional…` forms give nil for a member that is absent or `null`.
public struct JSONFields: Sendable, Hashable {
    /// The object.
    public let object: JSONObject
    private let here: FieldPlace

    /// The place as a JSON Pointer (RFC 6901); empty for the root.
    public var pointer: String { here.text }

    /// An object at a place.
    public init(_ object: JSONObject, at pointer: String = "") {
        self.object = object
        here = .pointer(pointer)
    }

    init(_ object: JSONObject, at place: FieldPlace) {
        self.object = object
        here = place
    }

    /// Equal objects at equal places.
    public static func == (left: JSONFields, right: JSONFields) -> Bool {
        left.object == right.object && left.pointer == right.pointer
    }

    /// Agrees with `==`.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(object)
        hasher.combine(pointer)
    }

    /// The member, which must be there.
    public func field(_ name: String) throws(JSONFieldError) -> JSONField {
        guard let value = object[name] else { throw JSONFieldError(pointer: place(name), reason: "is missing") }
        return JSONField(value, .member(name), from: here)
    }

    /// The member, unless it is absent or `null`.
    public func optionalField(_ name: String) -> JSONField? {
        guard let value = object[name], !value.isNull else { return nil }
        return JSONField(value, .member(name), from: here)
    }

    /// A text; by default of up to 65,535 bytes of UTF-8.
    public func string(_ name: String, bytes: ClosedRange<Int> = 0...65_535) throws(JSONFieldError) -> String {
        try field(name).string(bytes: bytes)
    }

    /// A text, or nil.
    public func optionalString(_ name: String, bytes: ClosedRange<Int> = 0...65_535) throws(JSONFieldError) -> String? {
        try optionalField(name)?.string(bytes: bytes)
    }

    /// An integer.
    public func int(_ name: String, in range: ClosedRange<Int> = Int.min...Int.max) throws(JSONFieldError) -> Int {
        try field(name).int(in: range)
    }

    /// An integer, or nil.
    public func optionalInt(_ name: String, in range: ClosedRange<Int> = Int.min...Int.max) throws(JSONFieldError) -> Int? {
        try optionalField(name)?.int(in: range)
    }

    /// A number, integer or not, or nil.
    public func optionalDouble(
        _ name: String, in range: ClosedRange<Double> = -.greatestFiniteMagnitude ... .greatestFiniteMagnitude
    ) throws(JSONFieldError) -> Double? {
        try optionalField(name)?.double(in: range)
    }

    /// A truth value.
    public func bool(_ name: String) throws(JSONFieldError) -> Bool { try field(name).bool() }

    /// A truth value, or nil.
    public func optionalBool(_ name: String) throws(JSONFieldError) -> Bool? { try optionalField(name)?.bool() }

    /// An object.
    public func object(_ name: String) throws(JSONFieldError) -> JSONFields { try field(name).object() }

    /// An object, or nil.
    public func optionalObject(_ name: String) throws(JSONFieldError) -> JSONFields? { try optionalField(name)?.object() }

    /// The elements of an array.
    public func array(_ name: String, count: ClosedRange<Int> = 0...10_000) throws(JSONFieldError) -> [JSONField] {
        try field(name).array(count: count)
    }

    /// The elements of an array, or nil.
    public func optionalArray(
        _ name: String, count: ClosedRange<Int> = 0...10_000
    ) throws(JSONFieldError) -> [JSONField]? {
        try optionalField(name)?.array(count: count)
    }

    /// Throws when the object has a member of another name: a misspelt option must not pass unseen.
    public func refuseUnknown(keys known: [String]) throws(JSONFieldError) {
        for member in object.members where !known.contains(where: { sameBytes($0, member.key) }) {
            throw JSONFieldError(
                pointer: place(member.key), reason: "is not known here; known are \(known.joined(separator: ", "))")
        }
    }

    /// An error about the object as a whole, for rules that join several members.
    public func error(_ reason: String) -> JSONFieldError { JSONFieldError(pointer: pointer, reason: reason) }

    private func place(_ name: String) -> String { FieldStep.member(name).text(from: here) }
}
