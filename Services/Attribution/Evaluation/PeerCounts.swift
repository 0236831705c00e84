import CorpusIndex
import Foundation
import JSON

/// Our counts beside infini-gram's: the same tokens, the same runs. The folder is the one that the peer's scripts make.
public enum PeerCounts {
    /// Adds a line with the difference of the sums of all counts.
    /// - Parameter scratch: a file that may be written.
    public static func compare(_ folder: String, scratch: String, into table: inout EvaluationTable) throws {
        func json(_ path: String) throws -> JSONValue {
            try JSON.parse([UInt8](Data(contentsOf: URL(fileURLWithPath: path))), limits: JSONLimits(depth: 16, bytes: 64 << 20))
        }
        let raw = try Data(contentsOf: URL(fileURLWithPath: folder + "/index_bpe/tokenized.0"))
        var items: [(id: String, tokens: [UInt32])] = []
        raw.withUnsafeBytes { bytes in
            for index in 0..<bytes.count / 2 {
                let token = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
                if token == .max { items.append(("d\(items.count)", [])) } else { items[items.count - 1].tokens.append(UInt32(token)) }
            }
        }
        try TokenIndex.build(items: items, vocabulary: 32_000, to: scratch)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let index = try TokenIndex(path: scratch)
        let expected = Int(try json(folder + "/results_index_bpe_mc10_pf0.json").object().field("count_checksum").value.intValue ?? -1)
        var (sum, count) = (0, 0)
        for line in try Data(contentsOf: URL(fileURLWithPath: folder + "/workload/ngrams.jsonl")).split(separator: 0x0A) {
            let tokens = try JSON.parse([UInt8](line)).object().array("ids").map { UInt32(try $0.int(in: 0...65_535)) }
            sum += index.count(tokens)
            count += 1
        }
        table.add("counts of \(count) runs, \(sum) in all, differ from infini-gram's by", Double(abs(sum - expected)), atMost: 0)
    }
}
