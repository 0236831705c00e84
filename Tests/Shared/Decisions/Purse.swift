import Crypto
import Decisions
import EventLog
import Events
import JSON
import LedgerService
import ServiceTestSupport
import Telemetry

/// One purse for everybody: enough of a service to decide something that two must not both be granted.
struct Purse: ServiceState {
    var balance = 0
    var spent: [String: Int] = [:]
    var mentions = 0

    struct TooLittle: Error, Equatable { let balance: Int }

    static func concerns(_ type: String) -> Bool { ["deposit.received", "hold.placed", "contribution.submitted"].contains(type) }

    mutating func apply(_ fact: Fact) throws {
        let amount = Int(fact.data["amount"]?.intValue ?? 0)
        switch fact.type {
        case "deposit.received": balance += amount
        case "hold.placed":
            guard amount <= balance else { throw TooLittle(balance: balance) }
            balance -= amount
            spent[fact.actor, default: 0] += amount
        default: mentions += 1
        }
    }

    /// Puts money in.
    static func deposit(_ amount: Int) -> DecisionMaker<Purse>.Rule {
        { _, _ in [try event("deposit.received", amount)] }
    }

    /// Takes money out, if there is enough.
    static func spend(_ amount: Int) -> DecisionMaker<Purse>.Rule {
        { purse, _ in
            guard amount <= purse.balance else { throw TooLittle(balance: purse.balance) }
            return [try event("hold.placed", amount)]
        }
    }

    static func event(_ type: String, _ amount: Int, stream: String = "account/purse") throws -> NewEvent {
        guard let stream = StreamName(stream) else { throw TooLittle(balance: 0) }
        return NewEvent(type, stream: stream, data: ["amount": .int(Int64(amount))])
    }
}

extension ServiceHouse {
    func purse() -> DecisionMaker<Purse> {
        DecisionMaker(.billing, log: ledger.client(for: .billing), clock: { LedgerClock.system.now() }) { Purse() }
    }
}

extension DecisionMaker<Purse> {
    func decide(_ command: String, body: String = "", actor: String = "ann", _ rule: @escaping Rule) async throws -> Outcome {
        try await decide(
            .command(id: command, digest: SHA256.hash(utf8: command + body)), actor: actor, correlation: "0af7651916cd43dd8448eb211c80319c",
            rule)
    }
}

/// Runs it beside the body.
func following<State, Result>(_ maker: DecisionMaker<State>, _ body: () async throws -> Result) async throws -> Result {
    let task = Task { await maker.run() }
    defer { task.cancel() }
    return try await body()
}
