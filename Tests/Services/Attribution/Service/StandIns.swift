import Crypto
import Events
import HTTP
import JSON
import Synchronization
import Web

/// Stands in for datanet, the gateway and training: the three routes that attribution calls, with what a test puts there.
final class StandIns: Sendable {
    struct Contents {
        /// Lines of exports by `<datanet>/<number>`.
        var exports: [String: [String]] = [:]
        var answers: [String: (prompt: String, answer: String)] = [:]
        /// What else the model was asked by, such as tools.
        var asked: [String: [(String, JSONValue)]] = [:]
        var erased: Set<String> = []
        var artefacts: [String: [UInt8]] = [:]
        var isGatewayAway = false
        var isDatanetAway = false
        /// Answers whose texts the gateway cannot give, and fails to.
        var failing: Set<String> = []
        /// Answers whose texts it says are damaged.
        var unreadable: Set<String> = []
        /// Exports that fail, by `<datanet>/<number>`.
        var failingExports: Set<String> = []
        var calls = 0
        var exported: [String] = []
    }

    private let contents = Mutex(Contents())

    func change<Value: Sendable>(_ body: (inout sending Contents) -> Value) -> Value { contents.withLock { body(&$0) } }

    var asked: Int { contents.withLock { $0.calls } }
    var exported: [String] { contents.withLock { $0.exported } }

    @discardableResult
    func put(artefact bytes: [UInt8]) -> Digest {
        let digest = SHA256.hash(bytes)
        contents.withLock { $0.artefacts[digest.prefixed] = bytes }
        return digest
    }

    var mount: Mount { Mount("stand-ins", routes: [items, content, artefact]) }

    private var items: Route {
        Route(
            .get, "/v1/datanets/{id}/snapshots/{number}/items", operation: "standInItems", summary: "A stand-in for datanet's export.",
            access: .authenticated,
            query: [
                QueryParameter("purpose", .oneOf("read", "train", "retrieve"), "What for.", required: true),
                QueryParameter("since", .integer(1...1_000_000_000), "Only what an earlier one lacks."),
            ],
            replies: [.content(200, "Lines.", type: "application/jsonl")], problems: [.unavailable, .notFound]
        ) { [self] context in
            let key = "\(context.path["id"])/\(context.path["number"])"
            let since = context.query.integer("since")
            let lines = contents.withLock { contents -> [String]? in
                contents.exported.append(key + (since.map { " since \($0)" } ?? ""))
                let known = Set(since.flatMap { contents.exports["\(context.path["id"])/\($0)"] } ?? [])
                if contents.failingExports.contains(key) { return nil }
                return contents.isDatanetAway ? nil : contents.exports[key]?.filter { !known.contains($0) }
            }
            guard let lines else { throw Problem(.unavailable, "away") }
            return Response(body: .bytes(Array(lines.map { $0 + "\n" }.joined().utf8)))
        }
    }

    private var content: Route {
        Route(
            .get, "/v1/inferences/{inference}/content", operation: "standInContent", summary: "A stand-in for the gateway's texts.",
            access: .authenticated, replies: [.json(200, "Texts.", .any)],
            problems: [.unavailable, .notFound, ProblemType("gone", 410, "Gone")]
        ) { [self] context in
            let id = context.path["inference"]
            let (isAway, isErased, texts) = contents.withLock { contents in
                contents.calls += 1
                return (contents.isGatewayAway, contents.erased.contains(id), contents.answers[id])
            }
            if isAway { throw Problem(.unavailable, "away") }
            if contents.withLock({ $0.failing.contains(id) }) { throw Problem(.internal, "it fails") }
            if contents.withLock({ $0.unreadable.contains(id) }) { throw Problem(.unprocessable, "damaged") }
            if isErased { throw Problem(ProblemType("gone", 410, "Gone"), "erased") }
            guard let texts else { throw Problem(.notFound, "unknown") }
            let more = contents.withLock { $0.asked[id] ?? [] }
            return .json(
                .object(
                    JSONObject(
                        [
                            ("prompt", [["role": "user", "content": .string(texts.prompt)]]), ("answer", .string(texts.answer)),
                        ] + more)))
        }
    }

    private var artefact: Route {
        Route(
            .get, "/v1/adapters/artefacts/{digest}", operation: "standInArtefact", summary: "A stand-in for training's artefacts.",
            access: .authenticated, replies: [.content(200, "Bytes.", type: "application/octet-stream")], problems: [.notFound]
        ) { [self] context in
            let digest = context.path["digest"]
            guard let bytes = contents.withLock({ $0.artefacts[digest] }) else { throw Problem(.notFound, "unknown") }
            return Response(body: .bytes(bytes))
        }
    }
}
