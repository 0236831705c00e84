internal import Blobs
internal import Crypto
internal import Events
internal import HTTP
internal import Identity
internal import IngestDomain
internal import JSON
internal import Synchronization
internal import Threads
internal import Web

/// Everything that the house holds of somebody, for themselves (Regulation (EU) 2016/679, Articles 15 and 20).
extension IngestRoutes {
    var exportRoutes: [Route] { [export] }

    private var export: Route {
        Route(
            .get, "/v1/contributors/{contributor}/export", operation: "exportContributor",
            summary:
                "All that the house holds of the caller, one JSON object a line: contributions with their content, accounts, questions and events.",
            access: .authenticated, path: ["contributor": Self.id],
            replies: [.content(200, "JSON lines; the last has the kind `end`.", type: "application/jsonl")],
            problems: [.forbidden, .tooManyRequests]
        ) { [core] context in
            let subject = context.path["contributor"]
            guard try context.caller.subject == subject else {
                throw Problem(.forbidden, "only \(subject) may take out what is held of \(subject)")
            }
            let busy = Problem(
                .tooManyRequests, "an export of yours, or too many of others, are under way", headers: ["Retry-After": "10"])
            guard core.exports.mayBegin(subject) else { throw busy }
            let token = context.request.headers["Authorization"].map { $0.split(separator: " ", maxSplits: 1).last.map(String.init) ?? "" }
            return Response(
                headers: ["Content-Type": "application/jsonl", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"],
                body: .stream { writer in
                    // Only now: a reply whose body nobody reads never began.
                    guard core.exports.begin(subject) else { throw busy }
                    defer { core.exports.end(subject) }
                    try await DataExport(core: core, subject: subject, token: token ?? "").write(to: writer)
                })
        }
    }
}

/// Exports that are under way: each reads the whole log, so they are few.
final class Exports: Sendable {
    /// At most so many at once.
    static let most = 4
    private let running = Lock<Set<String>>([])

    func mayBegin(_ subject: String) -> Bool { running.withLock { $0.count < Self.most && !$0.contains(subject) } }

    func begin(_ subject: String) -> Bool { running.withLock { $0.count < Self.most && $0.insert(subject).inserted } }

    func end(_ subject: String) { running.withLock { _ = $0.remove(subject) } }
}
