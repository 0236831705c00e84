import Crypto
import JSON

/// Rows of influence in the bytes that runners write.
struct RowBytes {
    var role: UInt8
    var factors = SHA256.hash(utf8: "factors")
    var scales: [Float]
    var values: [[Int8]]

    var bytes: [UInt8] {
        var out = Array("OLIR".utf8) + [1, role] + factors.bytes
        func put(_ value: UInt32) { for shift in [0, 8, 16, 24] { out.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) } }
        put(UInt32(values.count))
        for row in values { put(UInt32(row.count)) }
        for scale in scales { put(scale.bitPattern) }
        return out + values.joined().map { UInt8(bitPattern: $0) }
    }

    /// The artefact of training rows, each with its item: the files' bytes by name, and the manifest.
    ///
    /// - Parameters:
    ///   - others: further files by name.
    ///   - table: what stands in place of rows.json.
    static func artefact(
        _ rows: [(item: String, row: RowBytes)], checkpoints: Int? = nil, others: [String: [UInt8]] = [:], table given: [UInt8]? = nil
    ) throws -> (files: [[UInt8]], manifest: [UInt8]) {
        var bytes: [UInt8] = []
        var table: [JSONValue] = []
        for (item, row) in rows {
            table.append([
                "item": .string(item), "owner": "o", "datanet": "dn_1", "offset": .int(Int64(bytes.count)),
                "length": .int(Int64(row.bytes.count)),
            ])
            bytes += row.bytes
        }
        var members: [(String, JSONValue)] = [
            ("factors", .string(rows.first?.row.factors.prefixed ?? "")), ("rows", .array(table)),
        ]
        if let checkpoints { members.append(("checkpoints", .int(Int64(checkpoints)))) }
        let index = try given ?? JSON.canonical(.object(JSONObject(members)))
        func entry(_ path: String, _ bytes: [UInt8]) -> JSONValue {
            ["path": .string(path), "sha256": .string(SHA256.hash(bytes).prefixed), "bytes": .int(Int64(bytes.count))]
        }
        let more = others.sorted { $0.key < $1.key }
        let entries = [entry("rows.bin", bytes), entry("rows.json", index)] + more.map { entry($0.key, $0.value) }
        return ([bytes, index] + more.map(\.value), try JSON.canonical(["files": .array(entries)]))
    }
}
