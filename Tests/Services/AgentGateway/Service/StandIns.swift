import Events
import HTTP
import JSON
import Synchronization
import Web

/// Stands in for billing's holds, the runner, a Datanet's search and ingest's contents: the routes that the gateway calls, with what a
/// test puts there, and what was asked of them.
final class StandIns: Sendable {
    /// What the runner does with its stream, in order.
    enum Step: Sendable {
        /// An event with this data.
        case event(String)
        /// The connection breaks.
        case breaksOff
        /// Nothing, until whoever asked has gone.
        case waits
        /// Nothing, until this is so.
        case waitsUntil(@Sendable () -> Bool)
    }

    struct Contents {
        var steps: [Step] = []
        /// The runner's refusal, in place of a stream.
        var refusal: Int?
        /// A refusal in another server's words.
        var refusalBody: (status: Int, body: JSONValue)?
        /// Passages that the runner's model can read; more are too long for it.
        var mostPassages = Int.max
        /// Billing's refusal of holds.
        var noHold: Int?
        /// Calls for holds and releases that billing does but does not answer well, before it does again.
        var unclearHolds = 0
        var unclearReleases = 0
        /// Billing says that it is still at the same command.
        var holdsInFlight = 0
        /// The key of each call for a hold.
        var holdKeys: [String] = []
        var holdOfKey: [String: Int] = [:]
        var found: [String: [JSONValue]] = [:]
        var items: [String: JSONValue] = [:]
        var holds: [JSONValue] = []
        var released: [String] = []
        var asked: [JSONValue] = []
        var searches: [String] = []
        var abandoned = 0
        /// The runner's refusal of adapters.
        var noAdapter: Int?
        var adapters: [String] = []
    }

    private let contents = Mutex(Contents())

    func change<Value: Sendable>(_ body: (inout sending Contents) -> Value) -> Value { contents.withLock { body(&$0) } }

    var holdKeys: [String] { contents.withLock { $0.holdKeys } }
    var holds: [JSONValue] { contents.withLock { $0.holds } }
    var released: [String] { contents.withLock { $0.released } }
    var asked: [JSONValue] { contents.withLock { $0.asked } }
    var searches: [String] { contents.withLock { $0.searches } }
    var adapters: [String] { contents.withLock { $0.adapters } }
    var abandoned: Int { contents.withLock { $0.abandoned } }

    /// Lets the runner say these pieces, with this usage at the end.
    func answer(_ pieces: [String], input: Int = 7, output: Int? = nil, finish: String = "stop", row: String? = nil) {
        let usage: JSONValue = ["prompt_tokens": .int(Int64(input)), "completion_tokens": .int(Int64(output ?? pieces.count))]
        let end: JSONValue = .members([
            "choices": [["index": 0, "delta": .object(JSONObject()), "finish_reason": .string(finish)]], "usage": usage,
            "openledger_row": row.map { .string($0) },
        ])
        let steps = pieces.map { Self.piece($0) } + [.event(Self.text(end)), .event("[DONE]")]
        contents.withLock { $0.steps = steps }
    }

    func runner(_ steps: [Step]) { contents.withLock { $0.steps = steps } }

    static func piece(_ text: String) -> Step {
        .event(Self.text(["choices": [["index": 0, "delta": ["content": .string(text)], "finish_reason": .null]]]))
    }

    private static func text(_ json: JSONValue) -> String { String(decoding: JSON.write(json), as: UTF8.self) }

    var mount: Mount { Mount("stand-ins", routes: [hold, release, chat, adapter(""), adapter("/unload"), search, content]) }

    private var hold: Route {
        Route(
            .post, "/v1/holds", operation: "standInHold", summary: "A stand-in for billing.", access: .authenticated,
            body: .json(.openObject()), idempotency: .required, replies: [.json(200, "The hold.", .any)],
            problems: [ProblemType("stand-in-refusal", 402, "No"), .unavailable, .commandInFlight]
        ) { [self] context in
            let (refusal, number, fault) = contents.withLock { contents -> (Int?, Int, Problem?) in
                let key = context.request.headers["Idempotency-Key"] ?? ""
                contents.holdKeys.append(key)
                if contents.holdsInFlight > 0 {
                    contents.holdsInFlight -= 1
                    return (nil, 0, Problem(.commandInFlight, "it is still running"))
                }
                // The same key is the same hold.
                let number: Int
                if let known = contents.holdOfKey[key] {
                    number = known
                } else {
                    contents.holds.append(context.json)
                    number = contents.holds.count
                    if contents.noHold == nil { contents.holdOfKey[key] = number }
                }
                guard contents.unclearHolds > 0 else { return (contents.noHold, number, nil) }
                contents.unclearHolds -= 1
                return (nil, number, Problem(.unavailable, "what came of it is not known"))
            }
            if let fault { throw fault }
            if let refusal { throw Problem(ProblemType("stand-in-refusal", refusal, "No"), "the account has not enough") }
            return .json(["events": [["type": "hold.placed", "position": 0, "data": ["id": .string("hd_\(number)")]]]])
        }
    }

    private var release: Route {
        Route(
            .post, "/v1/holds/{id}/release", operation: "standInRelease", summary: "A stand-in for billing.", access: .authenticated,
            body: .json(.openObject()), idempotency: .required, replies: [.json(200, "Released.", .any)],
            problems: [.unavailable]
        ) { [self] context in
            let isAway = contents.withLock { contents in
                if contents.unclearReleases > 0 {
                    contents.unclearReleases -= 1
                    return true
                }
                contents.released.append(context.path["id"])
                return false
            }
            if isAway { throw Problem(.unavailable, "not now") }
            return .json(["events": []])
        }
    }

    private var chat: Route {
        Route(
            .post, "/runner/v1/chat/completions", operation: "standInChat", summary: "A stand-in for the runner.", access: .authenticated,
            body: .json(.openObject(), limit: 8 << 20), replies: [.events("Chunks."), .json(400, "A refusal.", .any)],
            problems: [.unavailable]
        ) { [self] context in
            let (refusal, words, most, steps) = contents.withLock { contents in
                contents.asked.append(context.json)
                return (contents.refusal, contents.refusalBody, contents.mostPassages, contents.steps)
            }
            if let words { return Response.json(words.body, status: words.status) }
            let system = context.json["messages"]?.arrayValue?.first?["content"]?.stringValue ?? ""
            if most < .max, system.split(separator: "\n\n").count > most {
                return .json(["error": ["code": "context_length_exceeded", "message": "too long"]], status: 400)
            }
            if let refusal { throw Problem(ProblemType("stand-in-refusal", refusal, "No"), "no model is loaded") }
            return Response(
                headers: ServerSentEvent.replyHeaders,
                body: .stream { [self] writer in
                    for step in steps {
                        switch step {
                        case .event(let data): try await writer.write(ServerSentEvent(data: data).bytes)
                        case .breaksOff: throw Broken()
                        case .waitsUntil(let isSo):
                            do {
                                while !isSo() { try await Task.sleep(for: .milliseconds(5)) }
                            } catch {
                                contents.withLock { $0.abandoned += 1 }
                                throw error
                            }
                        case .waits:
                            do { try await Task.sleep(for: .seconds(60)) } catch {
                                contents.withLock { $0.abandoned += 1 }
                                throw error
                            }
                        }
                    }
                })
        }
    }

    /// Adapters that are brought in, and let go.
    private func adapter(_ suffix: String) -> Route {
        Route(
            .post, "/runner/v1/adapters" + suffix, operation: "standInAdapter" + (suffix.isEmpty ? "" : "Unload"),
            summary: "A stand-in for the runner.", access: .authenticated, body: .json(.openObject()),
            replies: [.empty(204, "Done.")], problems: [.unavailable]
        ) { [self] context in
            let refusal = contents.withLock { contents in
                contents.adapters.append((suffix.isEmpty ? "load " : "unload ") + (context.json["adapter"]?.stringValue ?? ""))
                return contents.noAdapter
            }
            if let refusal { throw Problem(ProblemType("stand-in-refusal", refusal, "No"), "no such adapter") }
            return .noContent
        }
    }

    private struct Broken: Error {}

    private var search: Route {
        Route(
            .get, "/v1/datanets/{id}/search", operation: "standInSearch", summary: "A stand-in for datanet.", access: .authenticated,
            query: [
                QueryParameter("q", .text(1...400), "Words.", required: true), QueryParameter("limit", .integer(1...100), "Most."),
                QueryParameter("of", .oneOf("snapshot"), "What can be credited.", required: true),
            ],
            replies: [.json(200, "Items.", .any)], problems: [.notFound]
        ) { [self] context in
            let id = context.path["id"]
            let found = contents.withLock { contents in
                contents.searches.append(context.query.string("q") ?? "")
                return contents.found[id]
            }
            guard let found else { throw Problem(.notFound, "no such Datanet") }
            return .json(["items": .array(found)])
        }
    }

    private var content: Route {
        Route(
            .get, "/v1/contributions/{id}/items/{item}/content", operation: "standInContent", summary: "A stand-in for ingest.",
            access: .authenticated, replies: [.json(200, "Content.", .any)], problems: [.notFound]
        ) { [self] context in
            let item = context.path["item"]
            guard let content = contents.withLock({ $0.items[item] }) else { throw Problem(.notFound, "no such item") }
            return .json(content)
        }
    }
}
