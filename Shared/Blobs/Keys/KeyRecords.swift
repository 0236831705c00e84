/// Where the wrapped keys of owners lie: a folder, a table. Small records, one to an owner, that are useless without the
/// master key.
public protocol KeyRecords: Sendable {
    /// The record, or nil.
    func load(owner: String) async throws -> [UInt8]?

    /// Keeps a first record durably; false when there is one already, which then stays.
    func insert(owner: String, _ record: [UInt8]) async throws -> Bool

    /// Puts another record in the place of `old`, durably, and makes the old bytes unreadable as well as the medium
    /// allows; false when the record is no longer `old`.
    func replace(owner: String, _ old: [UInt8], with record: [UInt8]) async throws -> Bool
}
