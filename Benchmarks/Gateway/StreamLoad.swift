import Foundation
import HTTP
import HTTPClient
import JSON

/// A server that answers OpenAI's streams, and how it is asked.
struct StreamTarget: Sendable {
    let name: String
    let url: String
    let key: String
    let model: String
    /// The process that is measured, with its children; nil where there is none between.
    var process: Int32?
}

/// So many streams at a time, each begun when one ends, for some seconds.
struct StreamLoad: Sendable {
    let target: StreamTarget
    let transport: CurlTransport
    let streams: Int

    /// What one stream gave: seconds to the first token and to the end.
    struct Timing: Sendable {
        let first: Double
        let whole: Double
    }

    /// - Returns: latencies to the first token, and how many streams a second went to their end.
    @inline(never)
    func run(seconds: Double) async throws -> Figures {
        let start = monotonic()
        let end = start + seconds
        let times = try await withThrowingTaskGroup(of: [Double].self) { group in
            for _ in 0..<streams {
                group.addTask {
                    var mine: [Double] = []
                    while monotonic() < end { mine.append(try await ask("What moves the pool?").first) }
                    return mine
                }
            }
            var all: [Double] = []
            for try await part in group { all += part }
            return all
        }
        return Figures(count: times.count, seconds: monotonic() - start, cpu: 0, latencies: times.sorted())
    }

    func request(_ prompt: String) -> ClientRequest {
        var request = ClientRequest(method: "POST", url: target.url + "/v1/chat/completions", timeout: .seconds(120))
        request.headers.set("Authorization", "Bearer " + target.key)
        request.headers.set("Content-Type", "application/json")
        request.body = .bytes(
            JSON.write([
                "model": .string(target.model), "messages": [["role": "user", "content": .string(prompt)]],
                "max_tokens": .int(Int64(StubUpstream.tokens)), "stream": true, "stream_options": ["include_usage": true],
            ]))
        return request
    }

    func ask(_ prompt: String) async throws -> Timing {
        let begun = monotonic()
        let response = try await transport.send(request(prompt))
        guard response.status == 200 else {
            let words = String(decoding: try await response.body.collect(upTo: 1 << 20).prefix(500), as: UTF8.self)
            throw BenchmarkError("\(target.name) answered \(response.status): \(words)")
        }
        var first: Double?
        var tokens = 0
        var isDone = false
        for try await piece in response.body {
            let found = Self.count("word", in: piece)
            if found > 0, first == nil { first = monotonic() }
            tokens += found
            if Self.count("[DONE]", in: piece) > 0 { isDone = true }
        }
        // A token or an end that lay across two pieces is not worth a parser; but most must have been there.
        guard let first, isDone || tokens >= StubUpstream.tokens - 1, tokens >= StubUpstream.tokens - 2 else {
            throw BenchmarkError("\(target.name) ended after \(tokens) tokens")
        }
        return Timing(first: first - begun, whole: monotonic() - begun)
    }

    /// Opens streams that say one token and then nothing, and gives them back open.
    func open(_ count: Int) async throws -> [ResponseBody.AsyncIterator] {
        var bodies: [ResponseBody.AsyncIterator] = []
        for _ in 0..<count {
            let response = try await transport.send(request("idle"))
            guard response.status == 200 else { throw BenchmarkError("\(target.name) answered \(response.status)") }
            var body = response.body.makeAsyncIterator()
            var found = 0
            while found == 0, let piece = try await body.next() { found += Self.count("word", in: piece) }
            bodies.append(body)
        }
        return bodies
    }

    private static func count(_ text: StaticString, in bytes: [UInt8]) -> Int {
        let length = text.utf8CodeUnitCount
        var (found, at) = (0, 0)
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            while at + length <= bytes.count {
                guard let hit = memchr(base + at, Int32(text.utf8Start.pointee), bytes.count - at - length + 1) else { return }
                at = base.distance(to: UnsafeRawPointer(hit))
                if memcmp(base + at, text.utf8Start, length) == 0 {
                    found += 1
                    at += length
                } else {
                    at += 1
                }
            }
        }
        return found
    }
}

/// Memory of a process and its children, as the kernel shares it out, in bytes. PostgreSQL's are left out: streams that wait do not touch it.
enum ProcessMemory {
    static func of(_ process: Int32) -> Int {
        tree(process).filter { name($0) != "postgres" }.reduce(0) { $0 + proportional($1) }
    }

    private static func tree(_ process: Int32) -> [Int32] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        let children = tasks.flatMap { task -> [Int32] in
            let text = (try? String(contentsOfFile: "/proc/\(process)/task/\(task)/children", encoding: .utf8)) ?? ""
            return text.split(separator: " ").compactMap { Int32($0) }
        }
        return [process] + children.flatMap { tree($0) }
    }

    private static func name(_ process: Int32) -> String {
        let text = (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)) ?? ""
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func proportional(_ process: Int32) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(process)/smaps_rollup", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("Pss:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1_024
    }
}
