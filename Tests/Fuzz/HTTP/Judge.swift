import HTTP
import HTTPServer

/// All requests in one string of bytes, as the server sees them when they come in pieces.
struct Judge {
    private var verdict = ""
    private var pending: [UInt8] = []
    private var passed = 0
    private var parser: HeadParser
    private var body: BodyDecoder?
    private var data: [UInt8] = []
    private var isLast = false
    private var isOver = false
    private let limits: Limits

    private init(_ limits: Limits) {
        self.limits = limits
        parser = HeadParser(limits: limits)
    }

    /// `H method target framing …|` for a head, `B length hash end|` for a body, then at most one of: `E status reason`,
    /// `C` for bytes behind the last request, `M` for a message that is not whole.
    static func verdict(_ bytes: [UInt8], cuts: [Int] = [], limits: Limits) -> String {
        var judge = Judge(limits), from = 0
        for to in cuts + [bytes.count] {
            if !judge.isOver { judge.take(bytes[from..<to]) }
            from = to
        }
        if !judge.isOver, judge.body != nil || !judge.pending.isEmpty { judge.verdict += "M" }
        return judge.verdict
    }

    private mutating func take(_ piece: ArraySlice<UInt8>) {
        pending += piece
        var index = 0
        do throws(HTTPError) {
            while try step(&index) {}
        } catch {
            verdict += "E \(error.status) \(error.reason)"
            isOver = true
        }
        pending.removeFirst(index)
        passed += index
        if !isOver, body != nil { precondition(pending.isEmpty, "bytes of a body were left") }
    }

    /// Whether there may be more to find in what is pending.
    private mutating func step(_ index: inout Int) throws(HTTPError) -> Bool {
        if var decoder = body {
            let bytes = pending
            let step = try decoder.next(bytes.span, at: &index)
            body = decoder
            if case .data(let range) = step {
                precondition(range.lowerBound >= 0 && range.upperBound <= pending.count && !range.isEmpty, "a range outside the bytes")
                data += pending[range]
            }
            if decoder.isDone {
                let hash = data.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) }
                verdict += "B \(data.count) \(hash) \(passed + index)|"
                body = nil
                return true
            }
            return step != .more
        }
        guard index < pending.count else { return false }
        if isLast {
            // The server reads no further.
            verdict += "C"
            isOver = true
            return false
        }
        let bytes = pending
        guard let (head, used) = try parser.parse(bytes.span.extracting(index..<bytes.count)) else { return false }
        index += used
        parser.reset()
        verdict += "H \(head.method) \(head.target) \(head.framing) keep=\(head.keepAlive) fields=\(head.headers.count)|"
        precondition(head.headers.allSatisfy { !$0.name.isEmpty }, "a field without a name")
        body = BodyDecoder(head.framing, limits: limits)
        data = []
        isLast = !head.keepAlive
        return true
    }

    /// The verdict on the bytes whole, which must be the same when they are cut at random, and byte by byte.
    static func checked(_ bytes: [UInt8], _ random: inout some RandomNumberGenerator, limits: Limits) -> String {
        let whole = verdict(bytes, limits: limits)
        if bytes.isEmpty { return whole }
        let cuts = (0..<Int.random(in: 1...4, using: &random)).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
        let cut = verdict(bytes, cuts: cuts, limits: limits)
        precondition(cut == whole, "cut at \(cuts) it differs:\n\(whole)\n\(cut)\n\(bytes)")
        if bytes.count < 600, Int.random(in: 0..<8, using: &random) == 0 {
            let single = verdict(bytes, cuts: Array(1..<bytes.count), limits: limits)
            precondition(single == whole, "byte by byte it differs:\n\(whole)\n\(single)\n\(bytes)")
        }
        return whole
    }

    /// Limits so low that mutated requests meet them.
    static var tight: Limits {
        var limits = Limits()
        limits.body = 1_000
        limits.requestLine = 60
        limits.headBytes = 160
        limits.headerCount = 5
        limits.chunkExtensions = 8
        limits.trailerBytes = 16
        return limits
    }
}
