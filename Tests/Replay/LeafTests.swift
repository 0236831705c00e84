import Events
import Foundation
import JSON
import Replay
import TestSupport
import Testing

@testable import openledger

/// Whatever an event says is checked by somebody: each part of each kind of event is taken away, and altered, and the audit is red. What nobody
/// can check is listed, with the reason.
///
/// `OPENLEDGER_TEST_LEAVES` says how many of them are tried, drawn by chance; `all` tries every one.
@Suite struct LeafTests {
    struct Leaf: Sendable, Hashable, CustomStringConvertible {
        let place: Int
        let type: String
        let pointer: String
        let isTakenAway: Bool

        var description: String { "\(type) \(pointer) \(isTakenAway ? "taken away" : "altered")" }
        /// The same for every element of a list.
        var name: String { type + pointer.split(separator: "/").map { Int($0) == nil ? "/" + $0 : "/0" }.joined() }
    }

    @Test func `every part of every kind of event is checked by somebody`() async throws {
        let story = try TamperedLog(try await WholeStory.told())
        let leaves = Self.leaves(of: story)
        let wish = ProcessInfo.processInfo.environment["OPENLEDGER_TEST_LEAVES"] ?? "60"
        var random = Seed.generator()
        let chosen = wish == "all" ? leaves : Array(leaves.shuffled(using: &random).prefix(Int(wish) ?? 60))
        let unseen = try await withThrowingTaskGroup(of: Leaf?.self) { group in
            var rest = chosen[...]
            var unseen: [Leaf] = []
            func next() {
                guard let leaf = rest.popFirst() else { return }
                group.addTask { try await Self.isSeen(leaf, in: story) ? nil : leaf }
            }
            for _ in 0..<2 { next() }
            for try await leaf in group {
                if let leaf { unseen.append(leaf) }
                next()
            }
            return unseen
        }
        let strange = unseen.filter { Self.unchecked[$0.name] == nil }.map(\.description).sorted()
        #expect(strange.isEmpty, "nobody sees: \n\(strange.joined(separator: "\n"))")
    }

    /// What no rule looks at, and why.
    private static let unchecked: [String: String] = {
        let reasons: [(why: String, names: [String])] = [
            (
                "what who asks says and may say as they like: their token is not on the log, and nothing is decided by it",
                [
                    "access.requested/reason", "account.budget-set/thresholds/0", "dispute.opened/evidence", "dispute.opened/reason",
                    "hold.placed/reference", "refund.posted/reason", "ruling.made/reason", "task.opened/brief", "task.opened/deadline",
                    "task.submitted/artefacts/0/bytes", "task.submitted/artefacts/0/hash", "task.submitted/artefacts/0/media",
                    "service.listed/page", "service.listed/price/amount", "service.listed/seconds", "payout.requested/destination",
                    "mandate.granted/terms/approval_above/amount", "mandate.granted/terms/budget/amount", "mandate.granted/terms/expires",
                    "mandate.approval-decided/expires", "mandate.approval-decided/granted", "mandate.approval-requested/amount/amount",
                    "mandate.approval-requested/payee", "mandate.authorized/expires", "mandate.authorized/payee",
                    "mandate.authorized/purpose", "mandate.authorized/task", "mandate.freed/reason",
                ]
            ),
            (
                "what a wallet signed or bought: signature, brief and delivery are behind commitments, and what was moved is compared with billing's",
                [
                    "payment.opened/brief", "payment.opened/hold", "payment.opened/service", "payment.opened/signature",
                    "payment.opened/word/chain", "payment.opened/word/name", "payment.opened/word/nonce", "payment.opened/word/token",
                    "payment.opened/word/valid_after", "payment.opened/word/valid_before", "payment.opened/word/version",
                    "payment.delivered/delivery", "payment.failed/reason",
                ]
            ),
            (
                "the most that an answer may cost, which hangs on its prompt; what it came to is compared",
                ["mandate.authorized/amount/amount"]
            ),
            (
                "the house's own word about what it offers",
                [
                    "base-model.registered/artefact", "base-model.registered/licence", "base-model.registered/parameters",
                    "job.requested/fee/amount",
                ]
            ),
            (
                "a runner's word: its work is repeated by a sample, and by `audit --retrain`",
                [
                    "job.checked/base", "job.checked/measured", "job.checked/reached", "job.checkpointed/checkpoint",
                    "job.checkpointed/step",
                    "job.completed/tokens",
                    "job.delivered/tokens", "job.failed/reason", "job.released/reason", "runner.registered/bases/0",
                    "runner.registered/engine",
                ]
            ),
            ("outside of the log", ["payout.claimed/transaction", "payout.finished/reference", "principal.erased/keys/0"]),
            ("made from content, which is sealed", ["index.built/bytes", "access.searched/query"]),
            ("an earlier edition of the rules, which a log may begin with and never goes back to", ["settlement.posted/edition"]),
        ]
        return Dictionary(uniqueKeysWithValues: reasons.flatMap { reason in reason.names.map { ($0, reason.why) } })
    }()

    private static func isSeen(_ leaf: Leaf, in story: TamperedLog) async throws -> Bool {
        var log = story
        let data = log.entries[leaf.place].data
        let path = leaf.pointer.split(separator: "/").map(String.init)[...]
        let altered = leaf.isTakenAway ? data.takingAway(path) : data.setting(path, to: Self.other(than: data.at(leaf.pointer) ?? .null))
        log.entries[leaf.place].data = altered
        return try await !log.audit().isGood
    }

    /// A value of the same kind.
    private static func other(than value: JSONValue) -> JSONValue {
        if let flag = value.boolValue { return .bool(!flag) }
        if let number = value.intValue { return .int(number + 1) }
        guard let text = value.stringValue else { return .string("x") }
        if let number = Int(text) { return .string(String(number + 1)) }
        if let time = Timestamp(text) { return .string(Timestamp(microseconds: time.microseconds + 1_000_000).description) }
        if text.hasPrefix("sha256:") || text.hasPrefix("0x") {
            return .string(String(text.dropLast()) + (text.last == "0" ? "1" : "0"))
        }
        return .string(text + "x")
    }

    /// The leaves of the first two events of each type, and of each that has a part which those have not.
    private static func leaves(of story: TamperedLog) -> [Leaf] {
        var leaves: [Leaf] = []
        var seen: [String: Int] = [:]
        for (place, entry) in story.entries.enumerated() {
            for pointer in entry.data.leafPointers() {
                let leaf = Leaf(place: place, type: entry.type, pointer: pointer, isTakenAway: false)
                guard seen[leaf.name, default: 0] < 1 else { continue }
                seen[leaf.name, default: 0] += 1
                leaves += [leaf, Leaf(place: place, type: entry.type, pointer: pointer, isTakenAway: true)]
            }
        }
        return leaves
    }
}

extension JSONValue {
    /// The places of all that is no object or list; of a list the first element alone.
    fileprivate func leafPointers(_ start: String = "") -> [String] {
        if let list = arrayValue { return list.first.map { $0.leafPointers(start + "/0") } ?? [] }
        if let object = objectValue { return object.members.flatMap { $0.value.leafPointers(start + "/" + $0.key) } }
        return [start]
    }

    /// Without what is at a place.
    fileprivate func takingAway(_ path: ArraySlice<String>) -> JSONValue {
        guard let first = path.first else { return self }
        if case .array(var list) = self, let index = Int(first), list.indices.contains(index) {
            if path.count == 1 { list.remove(at: index) } else { list[index] = list[index].takingAway(path.dropFirst()) }
            return .array(list)
        }
        guard let object = objectValue else { return self }
        if path.count == 1 { return without(first) }
        return .object(object).setting([first], to: (object[first] ?? .null).takingAway(path.dropFirst()))
    }
}
