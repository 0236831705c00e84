/// Writes JSON front to back into bytes, compact, members in the order given. Commas and colons come by themselves.
///
/// The caller closes what it opens and gives each key once; a writer is for code that knows what it writes.
public struct JSONWriter: Sendable {
    /// What has been written.
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false
    private var depth = 0

    /// An empty writer.
    public init(capacity: Int = 512) { bytes.reserveCapacity(capacity) }

    /// Forgets what was written and keeps the memory.
    public mutating func reset() {
        bytes.removeAll(keepingCapacity: true)
        needsComma = false
        depth = 0
    }

    /// Opens an object.
    public mutating func beginObject() { open(UInt8(ascii: "{")) }

    /// Closes an object.
    public mutating func endObject() { close(UInt8(ascii: "}")) }

    /// Opens an array.
    public mutating func beginArray() { open(UInt8(ascii: "[")) }

    /// Closes an array.
    public mutating func endArray() { close(UInt8(ascii: "]")) }

    /// Writes a key; its value comes next.
    public mutating func key(_ name: String) {
        separate()
        bytes.appendQuoted(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a text.
    public mutating func string(_ text: String) {
        separate()
        bytes.appendQuoted(text)
    }

    /// Writes an integer.
    public mutating func int(_ number: Int64) {
        separate()
        bytes.appendDecimal(number)
    }

    /// Writes an integer.
    public mutating func int(_ number: Int) { int(Int64(number)) }

    /// Writes a number as ECMAScript does; one that is not finite becomes `null`, as there.
    public mutating func double(_ number: Double) {
        separate()
        bytes.appendNumber(number)
    }

    /// Writes `true` or `false`.
    public mutating func bool(_ value: Bool) {
        separate()
        bytes.append(contentsOf: value ? "true".utf8 : "false".utf8)
    }

    /// Writes `null`.
    public mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    /// Writes a value that is JSON already, unchecked.
    public mutating func raw(_ json: some Collection<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
    }

    /// Writes a value.
    public mutating func value(_ value: JSONValue) {
        separate()
        bytes.append(value)
    }

    /// Writes a value in its RFC 8785 form, as ``JSON/canonical(_:allowFractions:)`` makes it.
    public mutating func canonical(_ value: JSONValue) throws(JSONError) {
        separate()
        try bytes.appendCanonical(value, allowFractions: true)
    }

    /// Writes a key and a text.
    public mutating func member(_ name: String, _ text: String) {
        key(name)
        string(text)
    }

    /// Writes a key and an integer.
    public mutating func member(_ name: String, _ number: Int) {
        key(name)
        int(number)
    }

    /// Writes a key and an integer.
    public mutating func member(_ name: String, _ number: Int64) {
        key(name)
        int(number)
    }

    /// Writes a key and a truth value.
    public mutating func member(_ name: String, _ value: Bool) {
        key(name)
        bool(value)
    }

    /// Writes a key and a value.
    public mutating func member(_ name: String, _ value: JSONValue) {
        key(name)
        self.value(value)
    }

    @inline(__always)
    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
        depth += 1
    }

    private mutating func close(_ bracket: UInt8) {
        precondition(depth > 0, "nothing is open")
        bytes.append(bracket)
        needsComma = true
        depth -= 1
    }
}
