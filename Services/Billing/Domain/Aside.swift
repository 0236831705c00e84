/// Keeps a value elsewhere: what holds it stays small, and to copy it is to count one more who has it. For wide values in large tables,
/// which are moved whenever the table grows.
final class Aside<Value: Sendable>: Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
}
