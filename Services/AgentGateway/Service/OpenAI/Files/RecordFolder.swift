internal import Crypto
internal import Foundation
internal import Glibc
internal import JSON
internal import Threads

/// Small documents of people, one file each, in a folder for each owner that does not show whose it is. What is written is written
/// whole or not at all.
struct RecordFolder: Sendable {
    private let root: String

    init(_ root: String) { self.root = root }

    private func folder(_ owner: String) -> String { root + "/" + SHA256.hash(utf8: "owner\n" + owner).hex }

    private func path(_ id: String, _ owner: String) throws -> String {
        guard !id.isEmpty, id.utf8.count <= 100,
            id.utf8.allSatisfy({ $0 == 0x2D || $0 == 0x5F || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) })
        else { throw RecordError.noRecord(id) }
        return folder(owner) + "/" + id + ".json"
    }

    /// Keeps a record in the place of what was kept under its id.
    func put(_ record: JSONValue, id: String, owner: String) async throws {
        let (folder, path) = (folder(owner), try path(id, owner))
        let bytes = JSON.write(record)
        try await OSThread.run(name: "record") {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try Self.write(bytes, to: path, in: folder)
        }
    }

    /// Under a draft's name first, and on the disk before it has its own.
    private static func write(_ bytes: [UInt8], to path: String, in folder: String) throws {
        let draft = path + "." + Hex.encode(Random.bytes(8))
        guard FileManager.default.createFile(atPath: draft, contents: nil, attributes: [.posixPermissions: 0o600]),
            let file = FileHandle(forWritingAtPath: draft)
        else { throw RecordError.notKept(path) }
        do {
            try file.write(contentsOf: Data(bytes))
            try file.synchronize()
            try file.close()
        } catch {
            try? FileManager.default.removeItem(atPath: draft)
            throw error
        }
        guard rename(draft, path) == 0 else {
            try? FileManager.default.removeItem(atPath: draft)
            throw RecordError.notKept(path)
        }
        let place = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard place >= 0 else { throw RecordError.notKept(path) }
        defer { close(place) }
        guard fsync(place) == 0 else { throw RecordError.notKept(path) }
    }

    /// A record of an owner; nil when there is none.
    func get(_ id: String, owner: String) async throws -> JSONValue? {
        guard let path = try? path(id, owner) else { return nil }
        let data = try await OSThread.run(name: "record") { FileManager.default.contents(atPath: path) }
        return try data.map { try JSON.parse([UInt8]($0)) }
    }

    /// All records of an owner that can be read.
    /// - Parameter torn: is told of each that can't: where it lies, and why.
    func all(of owner: String, torn: @Sendable (String, any Error) -> Void = { _, _ in }) async throws -> [JSONValue] {
        try await read([folder(owner)], torn)
    }

    /// All records of everybody that can be read.
    /// - Parameter torn: is told of each that can't: where it lies, and why.
    func all(torn: @Sendable (String, any Error) -> Void = { _, _ in }) async throws -> [JSONValue] {
        let root = root
        let folders = try await OSThread.run(name: "record") {
            ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted().map { root + "/" + $0 }
        }
        return try await read(folders, torn)
    }

    /// Takes a record away.
    func remove(_ id: String, owner: String) async throws {
        let path = try path(id, owner)
        try await OSThread.run(name: "record") { try FileManager.default.removeItem(atPath: path) }
    }

    private func read(_ folders: [String], _ torn: (String, any Error) -> Void) async throws -> [JSONValue] {
        let files = try await OSThread.run(name: "record") {
            folders.flatMap { folder in
                ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".json") }.sorted()
                    .compactMap { name in FileManager.default.contents(atPath: folder + "/" + name).map { (folder + "/" + name, $0) } }
            }
        }
        return files.compactMap { place, content -> JSONValue? in
            do { return try JSON.parse([UInt8](content)) } catch {
                torn(place, error)
                return nil
            }
        }
    }
}

/// Why a record is not to be had.
enum RecordError: Error {
    case noRecord(String)
    case notKept(String)
}
