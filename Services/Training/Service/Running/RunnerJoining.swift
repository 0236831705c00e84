internal import Crypto
internal import Decisions
internal import Identity
internal import Money
internal import Telemetry
internal import TrainingDomain
internal import Web

/// Who may work as a runner: the house's own by their scope, and whoever joined with a stake.
struct RunnerJoining: Sendable {
    /// The scope of the house's own runners.
    static let working = "runners:work"
    /// The scope of those that look at others' work.
    static let checking = "runners:check"

    let maker: DecisionMaker<TrainingState>
    /// What must be bonded.
    let stake: Amount
    /// Of a hundred jobs that others' runners hand in, how many are looked at.
    private let checks: Int

    /// `OPENLEDGER_RUNNER_STAKE`, such as `10 USDC/6`, and `OPENLEDGER_RUNNER_CHECKS`, in a hundred.
    init(_ settings: Configuration, maker: DecisionMaker<TrainingState>) throws {
        let text = settings.string("RUNNER_STAKE", default: "10 USDC/6")
        let parts = text.split(separator: " ")
        guard parts.count == 2, let asset = try? Asset(String(parts[1])), let amount = try? Amount(decimal: String(parts[0]), asset),
            !amount.isNegative
        else { throw ConfigurationError(key: "OPENLEDGER_RUNNER_STAKE", expected: "an amount such as 10 USDC/6", found: text) }
        stake = amount
        checks = try settings.integer("RUNNER_CHECKS", in: 0...100, default: 25)
        self.maker = maker
    }

    /// How many times a job's fee must be bonded for it: as many as jobs are handed in for one that is looked at.
    var cover: Int { checks == 0 ? 0 : (99 + checks) / checks }

    /// Lets a runner in.
    /// - Returns: whether it is the house's own.
    func admit(_ context: RequestContext) async throws -> Bool {
        let caller = try context.caller
        let subject = caller.subject
        // Who joined is judged as one who did, whatever its scopes: the log tells the two apart by nothing else.
        if try await maker.query({ $0.runners.registered[subject] != nil }) { return false }
        guard caller.has(Self.working) else {
            throw TrainingError.forbidden(
                "\(subject) is no runner of the house (scope \(Self.working)), nor one that joined: POST /v1/runners")
        }
        return true
    }

    /// Whether this work is looked at.
    func draws() -> Bool {
        let word = Random.bytes(4).reduce(0) { $0 << 8 | Int($1) }
        return word % 100 < checks
    }
}
