/// A value and its place in the document, to read request bodies with errors that name the place.
public struct JSONField: Sendable, Hashable {
    /// The value.
    public let value: JSONValue
    private let parent: FieldPlace
    private let step: FieldStep

    /// The place as a JSON Pointer (RFC 6901); empty for the root.
    public var pointer: String { step.text(from: parent) }

    /// A value at a place.
    public init(_ value: JSONValue, at pointer: String = "") {
        self.value = value
        parent = .pointer(pointer)
        step = .here
    }

    init(_ value: JSONValue, _ step: FieldStep, from parent: FieldPlace) {
        self.value = value
        self.step = step
        self.parent = parent
    }

    /// Equal values at equal places.
    public static func == (left: JSONField, right: JSONField) -> Bool { left.value == right.value && left.pointer == right.pointer }

    /// Agrees with `==`.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(value)
        hasher.combine(pointer)
    }

    /// The text. By default it may be empty and have up to 65,535 bytes of UTF-8.
    public func string(bytes: ClosedRange<Int> = 0...65_535) throws(JSONFieldError) -> String {
        guard case .string(let text) = value else { throw mustBe("a string") }
        let count = text.utf8.count
        if count < bytes.lowerBound {
            throw error(count == 0 ? "must not be empty" : "must have at least \(bytes.lowerBound) bytes, has \(count)")
        }
        if count > bytes.upperBound { throw error("must have at most \(bytes.upperBound) bytes, has \(count)") }
        return text
    }

    /// The integer.
    public func int(in range: ClosedRange<Int> = Int.min...Int.max) throws(JSONFieldError) -> Int {
        guard case .int(let number) = value else { throw mustBe("an integer") }
        guard range.contains(Int(number)) else {
            throw error("must be from \(range.lowerBound) to \(range.upperBound), is \(number)")
        }
        return Int(number)
    }

    /// The number, integer or not.
    public func double(in range: ClosedRange<Double> = -.greatestFiniteMagnitude ... .greatestFiniteMagnitude)
        throws(JSONFieldError) -> Double
    {
        guard let number = value.doubleValue else { throw mustBe("a number") }
        guard range.contains(number) else {
            throw error("must be from \(range.lowerBound) to \(range.upperBound), is \(number)")
        }
        return number
    }

    /// The truth value.
    public func bool() throws(JSONFieldError) -> Bool {
        guard case .bool(let truth) = value else { throw mustBe("a boolean") }
        return truth
    }

    /// The object.
    public func object() throws(JSONFieldError) -> JSONFields {
        guard case .object(let object) = value else { throw mustBe("an object") }
        return JSONFields(object, at: step.place(from: parent))
    }

    /// The elements, each with its place.
    public func array(count: ClosedRange<Int> = 0...10_000) throws(JSONFieldError) -> [JSONField] {
        guard case .array(let list) = value else { throw mustBe("an array") }
        guard count.contains(list.count) else {
            throw error("must have from \(count.lowerBound) to \(count.upperBound) elements, has \(list.count)")
        }
        let here = step.place(from: parent)
        return list.enumerated().map { JSONField($1, .element($0), from: here) }
    }

    /// An error about this value, for rules that go beyond its type.
    public func error(_ reason: String) -> JSONFieldError { JSONFieldError(pointer: pointer, reason: reason) }

    private func mustBe(_ what: String) -> JSONFieldError { error("must be \(what), is \(value.kindName)") }
}

extension JSONValue {
    /// The members of a request body; throws when it is not an object.
    public func object() throws(JSONFieldError) -> JSONFields { try JSONField(self).object() }

    /// The elements of a request body; throws when it is not an array.
    public func array(count: ClosedRange<Int> = 0...10_000) throws(JSONFieldError) -> [JSONField] {
        try JSONField(self).array(count: count)
    }
}
