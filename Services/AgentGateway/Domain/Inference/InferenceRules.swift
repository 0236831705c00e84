internal import Crypto
public import Decisions
public import Events
internal import Identity

/// What is decided about answers.
public enum InferenceRules {
    /// The hold that billing places when the gateway asks for one by the answer's id: the command names it.
    public static func hold(of inference: String) -> String {
        let gateway = Service.agentGateway.rawValue
        let command = CommandID.make(issuer: gateway, subject: gateway, key: inference)
        return EntityID.make("hd", cause: .command(id: command, digest: .zero))
    }

    /// An answer was given, and its fee is due: from here on the log alone says what happens with the money. It is its own command, by its
    /// id, so that it is given once for ever, however long ago that was.
    public static func complete(_ inference: InferenceCompleted) -> DecisionMaker<GatewayState>.Rule {
        { state, context in
            try check(inference, days: state.principals[inference.payer]?.retentionDays, at: context.time)
            return try given(inference)
        }
    }

    /// The event of an answer whose texts are kept as its payer wishes.
    static func given(_ inference: InferenceCompleted) throws(GatewayError) -> [NewEvent] {
        [NewEvent(inference, stream: try PrincipalRules.stream("inference", inference.inference))]
    }

    /// Throws where an answer's texts are kept for longer than its payer wishes.
    /// - Parameter days: what the payer has chosen.
    public static func check(_ inference: InferenceCompleted, days: Int?, at time: Timestamp) throws(GatewayError) {
        guard let days else { return }
        let last = Retention.day(after: days, from: time)
        // Days as texts sort as days do.
        guard let until = inference.keptUntil, until <= last else { throw .keptTooLong(by: inference.payer, last) }
    }
}
