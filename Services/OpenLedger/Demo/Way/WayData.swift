import Foundation
import JSON

/// A Datanet's rows as the story brings them in: by author, each the JSON line as it stands in the file.
struct WayData: Sendable {
    let name: String
    /// Authors in the order of their first row.
    let authors: [(name: String, rows: [JSONValue])]

    /// What can be asked, and what the row says to it.
    var questions: [(prompt: String, completion: String)] {
        authors.flatMap { $0.rows.compactMap { row in row["prompt"]?.stringValue.map { ($0, row["completion"]?.stringValue ?? "") } } }
    }

    /// Reads the `.jsonl` files of a folder; with many authors only the first few of each file, and some rows of each. Where a file
    /// has rows that a model of a few million parameters can learn by heart within minutes, only those count.
    static func read(_ folder: String, authors most: Int, rows limit: Int) throws -> [WayData] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".jsonl") }.sorted()
        guard names.count >= 2 else {
            throw CommandError("\(folder) must have at least two .jsonl files: one to learn from, one to look things up in")
        }
        return try names.prefix(3).map { file in
            let text = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
            let rows = try text.split(separator: "\n").map { try JSON.parse(Array($0.utf8)) }.filter {
                $0["prompt"]?.stringValue != nil && $0["completion"]?.stringValue != nil
            }
            guard !rows.isEmpty else { throw CommandError("\(folder)/\(file) has no row with a prompt and a completion") }
            let short = rows.filter(isShort)
            return chosen(short.count >= most ? short : rows, name: String(file.dropLast(6)), authors: most, rows: limit)
        }
    }

    /// Long enough for a span of eight tokens, and short enough to be learned soon.
    private static func isShort(_ row: JSONValue) -> Bool {
        let (prompt, completion) = (row["prompt"]?.stringValue?.utf8.count ?? 0, row["completion"]?.stringValue?.utf8.count ?? 0)
        return prompt <= 600 && (60...260).contains(completion)
    }

    private static func chosen(_ all: [JSONValue], name: String, authors most: Int, rows limit: Int) -> WayData {
        var order: [String] = []
        var rows: [String: [JSONValue]] = [:]
        for row in all {
            let author = row["author"]?.stringValue ?? row["contributor"]?.stringValue ?? "unnamed"
            if rows[author] == nil {
                guard order.count < most else { continue }
                order.append(author)
            }
            if rows[author, default: []].count < limit { rows[author, default: []].append(row) }
        }
        return WayData(name: name, authors: order.map { ($0, rows[$0] ?? []) })
    }

    /// The sample data that ships with the product: beside the program or its sources.
    static func shipped() throws -> String {
        var place = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        for _ in 0..<6 {
            for candidate in ["demo", "share/openledger/demo"] {
                let path = place.appendingPathComponent(candidate).path
                if FileManager.default.fileExists(atPath: path + "/README.md") { return path }
            }
            place = place.deletingLastPathComponent()
        }
        throw CommandError("the sample data is nowhere near the program: name a folder with --data")
    }
}

/// Times as the interface takes them.
enum WayTime {
    /// RFC 3339 in UTC with microseconds.
    static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WayTime.text(Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}
